
/**
 * pipe(): creates a pipe and returns its read end and write end. Child processes do not inherit the two ends
 * (pipe2(2), O_CLOEXEC). Throws an error with the system's code.
 */
static Napi::Value Pipe(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) == -1) {
    int number = errno;
    Napi::Error error = Napi::Error::New(env, std::string("pipe: ") + strerror(number));
    error.Set("code", Napi::String::New(env, strerrorname_np(number)));
    throw error;
  }
  Napi::Array both = Napi::Array::New(env, 2);
  both.Set(0u, Napi::Number::New(env, ends[0]));
  both.Set(1u, Napi::Number::New(env, ends[1]));
  return both;
}

