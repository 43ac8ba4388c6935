// What an LLMHandle points to: a session, and who may use it when.
#pragma once

#include <atomic>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>

#include "session.h"

namespace rkllm {

class Handle {
 public:
  explicit Handle(std::unique_ptr<Session> session) : session_(std::move(session)) {}
  // Aborts a run that is active and waits for its end.
  ~Handle();

  // Runs on this thread. False: the run failed.
  bool run(Request request, Sink &sink);
  // Returns when the request is accepted; the sink is called from another thread.
  void run_async(Request request, std::unique_ptr<Sink> sink);

  void abort();
  bool is_running() const { return state_ != State::idle; }
  // Whether the caller is inside a callback of this handle.
  bool is_runner() const { return is_running() && runner_ == std::this_thread::get_id(); }

  // Does not change while the handle lives.
  int32_t embedding_size() const { return session_->embedding_size(); }
  int32_t max_context_len() const { return session_->max_context_len(); }

  // Calls `use` with the session while no run is active; refuses where one is.
  void while_idle(const std::function<void(Session &)> &use);

 private:
  // `ending`: the last event of an asynchronous run is being delivered. Whoever has seen that event may begin
  // the next run at once, and waits the moment until the thread is gone.
  enum class State { idle, running, ending };
  class EndingSink;

  void wait_for_ending(std::unique_lock<std::mutex> &lock);
  void claim();
  void release();

  std::unique_ptr<Session> session_;
  std::mutex mutex_;
  std::condition_variable idle_;
  std::atomic<State> state_{State::idle};
  std::atomic<bool> aborted_{false};
  std::atomic<std::thread::id> runner_{};
  std::thread thread_;
};

}  // namespace rkllm
