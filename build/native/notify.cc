
/**
 * notify(path, text): sends `text` as a datagram to the Unix socket at `path`, as sd_notify(3) does. A path
 * that begins with "@" names an abstract socket. Returns false if the datagram was not sent.
 */
static Napi::Value Notify(const Napi::CallbackInfo& info) {
  std::string path = info[0].As<Napi::String>();
  std::string text = info[1].As<Napi::String>();
  struct sockaddr_un to = {};
  to.sun_family = AF_UNIX;
  if (path.empty() || path.size() >= sizeof(to.sun_path)) return Napi::Boolean::New(info.Env(), false);
  memcpy(to.sun_path, path.data(), path.size());
  if (path[0] == '@') to.sun_path[0] = '\0';
  int file = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (file == -1) return Napi::Boolean::New(info.Env(), false);
  socklen_t length = offsetof(struct sockaddr_un, sun_path) + path.size();
  ssize_t sent = sendto(file, text.data(), text.size(), MSG_NOSIGNAL, reinterpret_cast<struct sockaddr*>(&to), length);
  close(file);
  return Napi::Boolean::New(info.Env(), sent >= 0 && static_cast<size_t>(sent) == text.size());
}
