#include "handle.h"

#include "log.h"

namespace rkllm {

// Marks the handle as ending before the last event is delivered.
class Handle::EndingSink final : public Sink {
 public:
  EndingSink(Sink &sink, std::atomic<State> &state) : sink_(sink), state_(state) {}

  bool deliver(const Event &event) override {
    if (event.state == Event::State::finish || event.state == Event::State::error) {
      state_ = State::ending;
      ended = true;
    }
    return sink_.deliver(event);
  }

  bool ended = false;

 private:
  Sink &sink_;
  std::atomic<State> &state_;
};

Handle::~Handle() {
  abort();
  std::unique_lock<std::mutex> lock(mutex_);
  idle_.wait(lock, [this] { return state_ == State::idle; });
  std::thread finished = std::move(thread_);
  lock.unlock();
  if (finished.joinable()) finished.join();
}

void Handle::wait_for_ending(std::unique_lock<std::mutex> &lock) {
  if (state_ == State::ending && !is_runner()) {
    idle_.wait(lock, [this] { return state_ != State::ending; });
  }
  if (state_ != State::idle) throw Refused("a run is active on this handle");
}

void Handle::claim() {
  std::unique_lock<std::mutex> lock(mutex_);
  wait_for_ending(lock);
  if (thread_.joinable()) thread_.join();
  aborted_ = false;
  runner_ = std::this_thread::get_id();
  state_ = State::running;
}

void Handle::release() {
  const std::lock_guard<std::mutex> lock(mutex_);
  state_ = State::idle;
  idle_.notify_all();
}

bool Handle::run(Request request, Sink &sink) {
  claim();
  const struct Release {
    Handle &handle;
    ~Release() { handle.release(); }
  } release_at_end{*this};
  return session_->run(session_->prepare(std::move(request)), sink, aborted_);
}

void Handle::run_async(Request request, std::unique_ptr<Sink> sink) {
  claim();
  try {
    auto work = [this, prepared = session_->prepare(std::move(request)),
                 sink = std::shared_ptr<Sink>(std::move(sink))] {
      runner_ = std::this_thread::get_id();
      EndingSink ending(*sink, state_);
      // There is no return value that could tell of a failure, so it is always an event.
      try {
        if (!session_->run(prepared, ending, aborted_) && !ending.ended)
          ending.deliver({Event::State::error});
      } catch (const std::exception &error) {
        log_error(std::string("the asynchronous run failed: ") + error.what());
      }
      release();
    };
    // The thread must not end, and be waited for, before thread_ holds it.
    const std::lock_guard<std::mutex> lock(mutex_);
    thread_ = std::thread(std::move(work));
  } catch (...) {
    release();
    throw;
  }
}

void Handle::abort() {
  if (is_running()) aborted_ = true;
}

// Under the lock, so that a run that is to begin meanwhile waits instead of being refused.
void Handle::while_idle(const std::function<void(Session &)> &use) {
  std::unique_lock<std::mutex> lock(mutex_);
  wait_for_ending(lock);
  use(*session_);
}

}  // namespace rkllm
