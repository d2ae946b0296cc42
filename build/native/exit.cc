
/**
 * exit(code): ends the process immediately (_exit(2)). A normal exit waits for V8's threads, and a thread may
 * wait for this one to collect garbage.
 */
static Napi::Value Exit(const Napi::CallbackInfo& info) {
  _exit(info[0].As<Napi::Number>().Int32Value());
  return info.Env().Undefined();
}
