
/**
 * peer(fd): returns the pid and uid of the process at the other end of a Unix socket (SO_PEERCRED). Undefined
 * if the system does not report them.
 */
static Napi::Value Peer(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  struct ucred found;
  socklen_t size = sizeof(found);
  int file = info[0].As<Napi::Number>().Int32Value();
  if (getsockopt(file, SOL_SOCKET, SO_PEERCRED, &found, &size) != 0) return env.Undefined();
  Napi::Array both = Napi::Array::New(env, 2);
  both.Set(0u, Napi::Number::New(env, found.pid));
  both.Set(1u, Napi::Number::New(env, found.uid));
  return both;
}

