
/**
 * limitFreed(bytes): configures the allocator (mallopt(3)). The allocator then returns freed memory beyond
 * `bytes` to the system, maps pieces larger than `bytes` separately, and uses at most two arenas. By default
 * the allocator adapts its limits to the largest piece that was ever freed.
 */
static Napi::Value LimitFreed(const Napi::CallbackInfo& info) {
  int bytes = info[0].As<Napi::Number>().Int32Value();
  mallopt(M_MMAP_THRESHOLD, bytes);
  mallopt(M_TRIM_THRESHOLD, bytes);
  mallopt(M_ARENA_MAX, 2);
  return info.Env().Undefined();
}

/** trim(): returns all free pages to the system (malloc_trim(3)). */
static Napi::Value Trim(const Napi::CallbackInfo& info) {
  malloc_trim(0);
  return info.Env().Undefined();
}
