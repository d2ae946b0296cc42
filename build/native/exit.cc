
/**
 * exit(code): ends the process immediately (_exit(2)). A normal exit waits for V8's threads. Such a thread
 * can itself wait for a garbage collection of this thread.
 */
static Napi::Value Exit(const Napi::CallbackInfo& info) {
  _exit(info[0].As<Napi::Number>().Int32Value());
  return info.Env().Undefined();
}
