
/**
 * limitFreed(bytes): from now on the allocator gives back to the system what is freed beyond `bytes`, keeps large pieces by
 * themselves, and has no more than two arenas (mallopt(3)). By default it adapts to the largest piece that was ever freed.
 */
static Napi::Value LimitFreed(const Napi::CallbackInfo& info) {
  int bytes = info[0].As<Napi::Number>().Int32Value();
  mallopt(M_MMAP_THRESHOLD, bytes);
  mallopt(M_TRIM_THRESHOLD, bytes);
  mallopt(M_ARENA_MAX, 2);
  return info.Env().Undefined();
}

/** trim(): gives all pages that were freed back to the system (malloc_trim(3)). */
static Napi::Value Trim(const Napi::CallbackInfo& info) {
  malloc_trim(0);
  return info.Env().Undefined();
}
