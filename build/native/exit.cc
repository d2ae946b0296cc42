
/**
 * exit(code): ends the process at once (_exit(2)). An ordinary end waits for V8's threads, and one of them may be waiting for
 * this thread to collect garbage.
 */
static Napi::Value Exit(const Napi::CallbackInfo& info) {
  _exit(info[0].As<Napi::Number>().Int32Value());
  return info.Env().Undefined();
}
