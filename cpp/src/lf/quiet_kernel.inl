// find_loud, compiled once per level. Raw pointers, no STL.
#include "lf/quiet.hpp"

namespace coverset::COVERSET_LEVEL {
namespace {

template <class T>
long loud_groups(const T* values, long n, T low, T high, unsigned* groups) {
  long found = 0;
  const long whole = n / kQuietGroup;
  for (long group = 0; group < whole; ++group) {
    const T* at = values + group * kQuietGroup;
    T quiet = 1;  // of the numbers' own width: a compare is then one instruction a register
    for (long j = 0; j < kQuietGroup; ++j) {
      quiet = (at[j] >= low) & (at[j] <= high) ? quiet : (T)0;
    }
    groups[found] = (unsigned)group;
    found += quiet == (T)0;
  }
  if (whole * kQuietGroup < n) groups[found++] = (unsigned)whole;
  return found;
}

template <class T>
long typed(const void* values, long n, const void* low, const void* high, unsigned* groups) {
  return loud_groups((const T*)values, n, *(const T*)low, *(const T*)high, groups);
}

}  // namespace

long find_loud(NumberType type, const void* values, long n, const void* low, const void* high,
               unsigned* groups) {
  switch (type) {
    case NumberType::i8:
      return typed<signed char>(values, n, low, high, groups);
    case NumberType::i16:
      return typed<short>(values, n, low, high, groups);
    case NumberType::i32:
      return typed<int>(values, n, low, high, groups);
    case NumberType::i64:
      return typed<long long>(values, n, low, high, groups);
    case NumberType::u8:
      return typed<unsigned char>(values, n, low, high, groups);
    case NumberType::u16:
      return typed<unsigned short>(values, n, low, high, groups);
    case NumberType::u32:
      return typed<unsigned>(values, n, low, high, groups);
    case NumberType::u64:
      return typed<unsigned long long>(values, n, low, high, groups);
    case NumberType::f32:
      return typed<float>(values, n, low, high, groups);
    default:
      return typed<double>(values, n, low, high, groups);
  }
}

}  // namespace coverset::COVERSET_LEVEL
