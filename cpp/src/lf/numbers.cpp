// Numbers: ranges cut the line into segments; a number is located once for all rules.
#include <algorithm>
#include <cmath>
#include <limits>

#include "coverset/lf.hpp"
#include "lf/hits.hpp"
#include "lf/outside.hpp"

namespace coverset {
namespace {

constexpr std::int64_t kBlock = 1 << 14;

template <class T>
constexpr NumberType kType =
    std::is_same_v<T, float>    ? NumberType::f32
    : std::is_same_v<T, double> ? NumberType::f64
    : sizeof(T) == 1            ? (std::is_signed_v<T> ? NumberType::i8 : NumberType::u8)
    : sizeof(T) == 2            ? (std::is_signed_v<T> ? NumberType::i16 : NumberType::u16)
    : sizeof(T) == 4            ? (std::is_signed_v<T> ? NumberType::i32 : NumberType::u32)
                                : (std::is_signed_v<T> ? NumberType::i64 : NumberType::u64);

/// Disjoint ranges in ascending order, each with the rules that fire there.
template <class T>
struct Segments {
  std::vector<T> low, high;
  std::vector<std::size_t> starts{0};  // of rules, by segment, and the end
  std::vector<std::int32_t> rules;

  std::span<const std::int32_t> find(T x) const {
    const auto after = std::ranges::upper_bound(low, x) - low.begin();
    if (after == 0) return {};
    const auto i = static_cast<std::size_t>(after - 1);
    if (x > high[i]) return {};
    return std::span(rules).subspan(starts[i], starts[i + 1] - starts[i]);
  }
};

template <class T>
T next_above(T x) {
  if constexpr (std::is_floating_point_v<T>) {
    return std::nextafter(x, std::numeric_limits<T>::infinity());
  } else {
    return static_cast<T>(x + 1);
  }
}
template <class T>
T next_below(T x) {
  if constexpr (std::is_floating_point_v<T>) {
    return std::nextafter(x, -std::numeric_limits<T>::infinity());
  } else {
    return static_cast<T>(x - 1);
  }
}
template <class T>
constexpr T kLowest = std::is_floating_point_v<T> ? -std::numeric_limits<T>::infinity()
                                                  : std::numeric_limits<T>::lowest();
template <class T>
constexpr T kHighest = std::is_floating_point_v<T> ? std::numeric_limits<T>::infinity()
                                                   : std::numeric_limits<T>::max();

/// A sweep over the places where a segment begins: each range's low end, and the number after each
/// high end.
template <class T>
Segments<T> cut(const RangeRules<T>& ranges) {
  std::vector<T> begins;
  for (std::size_t i = 0; i < ranges.rules.size(); ++i) {
    begins.push_back(ranges.low[i]);
    if (ranges.high[i] < kHighest<T>) begins.push_back(next_above(ranges.high[i]));
  }
  std::ranges::sort(begins);
  begins.erase(std::unique(begins.begin(), begins.end()), begins.end());
  std::vector<std::size_t> order(ranges.rules.size());
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
  std::ranges::sort(order, {}, [&](std::size_t i) { return ranges.low[i]; });
  Segments<T> segments;
  std::vector<std::size_t> open;
  std::size_t next = 0;
  for (std::size_t b = 0; b < begins.size(); ++b) {
    std::erase_if(open, [&](std::size_t i) { return ranges.high[i] < begins[b]; });
    for (; next < order.size() && ranges.low[order[next]] <= begins[b]; ++next) {
      if (ranges.high[order[next]] >= begins[b]) open.push_back(order[next]);
    }
    if (open.empty()) continue;
    segments.low.push_back(begins[b]);
    segments.high.push_back(b + 1 < begins.size() ? next_below(begins[b + 1]) : kHighest<T>);
    const auto at = static_cast<std::ptrdiff_t>(segments.rules.size());
    for (const std::size_t i : open) segments.rules.push_back(ranges.rules[i]);
    std::sort(segments.rules.begin() + at, segments.rules.end());
    segments.rules.erase(std::unique(segments.rules.begin() + at, segments.rules.end()),
                         segments.rules.end());
    segments.starts.push_back(segments.rules.size());
  }
  return segments;
}

/// Numbers low..high fire nothing, if low <= high.
template <class T>
struct Gap {
  T low = 1, high = 0;
};

/// The gap between segments that holds the most of a sample: the answer does not depend on it.
template <class T>
Gap<T> fullest_gap(const Segments<T>& segments, std::span<const T> values) {
  const std::size_t n = segments.low.size();
  std::vector<std::size_t> count(n + 1, 0);
  const std::size_t step = values.size() / 512 + 1;
  for (std::size_t row = 0; row < values.size(); row += step) {
    const T x = values[row];
    const auto after =
        static_cast<std::size_t>(std::ranges::upper_bound(segments.low, x) - segments.low.begin());
    if (x == x && (after == 0 || x > segments.high[after - 1])) ++count[after];
  }
  const auto best = static_cast<std::size_t>(std::ranges::max_element(count) - count.begin());
  if (count[best] == 0) return {};
  return {best == 0 ? kLowest<T> : next_above(segments.high[best - 1]),
          best == n ? kHighest<T> : next_below(segments.low[best])};
}

}  // namespace

template <class T>
Hits match_numbers(const Cpu& device, const RangeRules<T>& ranges, const NumberView<T>& numbers) {
  const Segments<T> segments = cut(ranges);
  const Gap<T> gap = fullest_gap(segments, numbers.values);
  const auto n = static_cast<std::int64_t>(numbers.values.size());
  return collect_hits(device, n, kBlock, [&](std::int64_t begin, std::int64_t end, Hits& hits) {
    unsigned places[kBlock];
    const long found = COVERSET_AT_LEVEL(find_outside)(kType<T>, numbers.values.data() + begin,
                                                       end - begin, &gap.low, &gap.high, places);
    for (long i = 0; i < found; ++i) {
      const std::int64_t row = begin + places[i];
      if (!numbers.valid(row)) continue;
      for (const std::int32_t rule : segments.find(numbers.values[static_cast<std::size_t>(row)])) {
        hits.rows.push_back(static_cast<std::int32_t>(row));
        hits.rules.push_back(rule);
      }
    }
  });
}

#define COVERSET_MATCH_NUMBERS(T) \
  template Hits match_numbers(const Cpu&, const RangeRules<T>&, const NumberView<T>&);
COVERSET_MATCH_NUMBERS(std::int8_t)
COVERSET_MATCH_NUMBERS(std::int16_t)
COVERSET_MATCH_NUMBERS(std::int32_t)
COVERSET_MATCH_NUMBERS(std::int64_t)
COVERSET_MATCH_NUMBERS(std::uint8_t)
COVERSET_MATCH_NUMBERS(std::uint16_t)
COVERSET_MATCH_NUMBERS(std::uint32_t)
COVERSET_MATCH_NUMBERS(std::uint64_t)
COVERSET_MATCH_NUMBERS(float)
COVERSET_MATCH_NUMBERS(double)

}  // namespace coverset
