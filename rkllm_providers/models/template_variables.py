"""Which variables a chat template asks for, found in its parsed source without making code of it.

Making code, as Jinja's own ``meta`` does, would compute whatever is constant in a template, outside all
bounds. A name counts where a template reads it before it has set it on every way there.
"""

from __future__ import annotations

from collections.abc import Iterable

from jinja2 import nodes


def undeclared_variables(template: nodes.Template) -> set[str]:
    """The names that a parsed template reads and does not set itself."""
    # What is in a macro runs when it is called, and other macros may have been defined by then.
    search = _Search(macro.name for macro in template.find_all(nodes.Macro))
    search.visit(template)
    return search.read


class _Search:
    """Goes through a template in the order in which it runs."""

    def __init__(self, known: Iterable[str]) -> None:
        self.read: set[str] = set()
        # What is set so far, outermost scope first.
        self._scopes: list[set[str]] = [set(known)]

    def visit(self, node: nodes.Node) -> None:
        if isinstance(node, nodes.Name):
            self._name(node)
        elif isinstance(node, nodes.NSRef):
            self._reads(node.name)
        elif isinstance(node, nodes.If):
            self._branches(node)
        elif isinstance(node, nodes.Assign):
            self._all([node.node, node.target])
        elif isinstance(node, nodes.AssignBlock):
            self._scope(node.body)
            self._all([node.filter] if node.filter is not None else [])
            self.visit(node.target)
        elif isinstance(node, nodes.For):
            self._loop(node)
        elif isinstance(node, nodes.Macro | nodes.CallBlock):
            self._macro(node)
        elif isinstance(node, nodes.With):
            self._all(node.values)
            self._scope([*node.targets, *node.body])
        elif isinstance(node, nodes.FilterBlock | nodes.Block | nodes.Scope):
            self._scope(node.iter_child_nodes())
        elif isinstance(node, nodes.Import):
            self._scopes[-1].add(node.target)
        elif isinstance(node, nodes.FromImport):
            self._scopes[-1].update(name if isinstance(name, str) else name[1] for name in node.names)
        else:
            self._all(node.iter_child_nodes())

    def _all(self, parts: Iterable[nodes.Node]) -> None:
        for part in parts:
            self.visit(part)

    def _name(self, node: nodes.Name) -> None:
        if node.ctx == "load":
            self._reads(node.name)
        else:
            self._scopes[-1].add(node.name)

    def _reads(self, name: str) -> None:
        if not any(name in scope for scope in self._scopes):
            self.read.add(name)

    def _scope(self, parts: Iterable[nodes.Node], names: Iterable[str] = ()) -> set[str]:
        """What is set in here, where it is known too; outside it is not."""
        self._scopes.append(set(names))
        self._all(parts)
        return self._scopes.pop()

    def _branches(self, node: nodes.If) -> None:
        self.visit(node.test)
        made = [self._scope(node.body)]
        for branch in node.elif_:
            self.visit(branch.test)
            made.append(self._scope(branch.body))
        made.append(self._scope(node.else_))
        self._scopes[-1].update(set.intersection(*made))

    def _loop(self, node: nodes.For) -> None:
        self.visit(node.iter)
        test = [node.test] if node.test is not None else []
        self._scope([node.target, *test, *node.body], ["loop"])
        self._scope(node.else_)

    def _macro(self, node: nodes.Macro | nodes.CallBlock) -> None:
        if isinstance(node, nodes.CallBlock):
            self.visit(node.call)
        self._all(node.defaults)
        self._scope([*node.args, *node.body], ["caller", "varargs", "kwargs"])
