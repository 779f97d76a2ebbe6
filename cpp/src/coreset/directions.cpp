// One step of subspace iteration on a sample of rows, and a pivoted Gram-Schmidt: near enough to
// the principal directions for what a projection needs, without an eigensolver.
#include "coreset/directions.hpp"

#include <algorithm>
#include <bit>
#include <cmath>

#include "coverset/parallel.hpp"
#include "exact/rows/float_row.hpp"
#include "exact/rows/scanned_rows.hpp"

namespace coverset {
namespace {

constexpr std::int64_t kSample = 512;
constexpr float kSpanned = 1e-4f;  // of the longest: what is left is rounding

/// Vectors of d numbers, side by side.
struct Vectors {
  std::vector<float> numbers;
  std::int64_t d;

  float* operator[](std::int64_t i) { return numbers.data() + i * d; }
  const float* operator[](std::int64_t i) const { return numbers.data() + i * d; }
};

/// to += factor * from
void add(float* to, float factor, const float* from, std::int64_t d) {
  for (std::int64_t c = 0; c < d; ++c) to[c] += factor * from[c];
}

float rounded_to_bfloat16(float value) {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  return std::bit_cast<float>((bits + 0x7fffu + ((bits >> 16) & 1u)) & 0xffff0000u);
}

/// Rows that are longer than twice the median become that long, lest a few decide alone.
void shorten(Vectors& rows, std::int64_t count) {
  std::vector<float> lengths;
  for (std::int64_t i = 0; i < count; ++i) {
    lengths.push_back(std::sqrt(inner_product_of(rows[i], rows[i], rows.d)));
  }
  std::vector<float> sorted = lengths;
  const auto middle = sorted.begin() + count / 2;
  std::nth_element(sorted.begin(), middle, sorted.end());
  const float most = 2.0f * *middle;
  for (std::int64_t i = 0; i < count; ++i) {
    const float length = lengths[static_cast<std::size_t>(i)];
    if (!(length > most)) continue;
    const float factor = std::isfinite(length) ? most / length : 0.0f;
    for (std::int64_t c = 0; c < rows.d; ++c) {
      rows[i][c] = factor > 0.0f ? rows[i][c] * factor : 0.0f;
    }
  }
}

/// The sample's second moment times some of its rows: their longest parts grow most.
Vectors stretched(const Cpu& device, const Vectors& sample, std::int64_t count,
                  std::int64_t wanted) {
  const std::int64_t d = sample.d;
  Vectors out{std::vector<float>(static_cast<std::size_t>(wanted * d)), d};
  parallel_for(device, wanted, 1, [&](std::int64_t j, std::int64_t) {
    const float* from = sample[j * count / wanted];
    for (std::int64_t i = 0; i < count; ++i) {
      add(out[j], inner_product_of(sample[i], from, d), sample[i], d);
    }
  });
  return out;
}

}  // namespace

std::vector<float> normalized_rows(const Rows& rows, const Normalization& normalization,
                                   std::span<const std::int64_t> some) {
  const std::int64_t d = rows.d;
  std::vector<float> out(some.size() * static_cast<std::size_t>(d));
  std::vector<float> room(static_cast<std::size_t>(d));
  for (std::size_t i = 0; i < some.size(); ++i) {
    const float* row = float_row(rows, some[i], room.data());
    COVERSET_AT_LEVEL(center_row)
    (row, 1.0f, normalization.mean.data(), normalization.scale, d, d,
     out.data() + i * static_cast<std::size_t>(d));
  }
  return out;
}

std::vector<float> find_directions(const Cpu& device, const Rows& rows,
                                   const Normalization& normalization, std::int64_t most) {
  const std::vector<std::int64_t> some = spread_rows(rows.n, kSample);
  const std::int64_t d = rows.d, count = std::ssize(some);
  const std::int64_t wanted = std::min({most, count, d});
  Vectors sample{normalized_rows(rows, normalization, some), d};
  shorten(sample, count);
  Vectors left = stretched(device, sample, count, wanted);
  std::vector<float> lengths(static_cast<std::size_t>(wanted)), found;
  float longest = 0.0f;
  for (std::int64_t taken = 0; taken < wanted; ++taken) {
    parallel_for(device, wanted - taken, 16, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t j = taken + begin; j < taken + end; ++j) {
        if (taken > 0)
          add(left[j], -inner_product_of(left[j], left[taken - 1], d), left[taken - 1], d);
        lengths[static_cast<std::size_t>(j)] = std::sqrt(inner_product_of(left[j], left[j], d));
      }
    });
    const auto best = std::max_element(lengths.begin() + taken, lengths.end());
    const float length = *best;
    longest = std::max(longest, length);
    if (!(length > kSpanned * longest) || !std::isfinite(length)) break;
    float* next = left[taken];
    std::swap_ranges(next, next + d, left[best - lengths.begin()]);
    for (std::int64_t c = 0; c < d; ++c) {
      next[c] /= length;
      found.push_back(rounded_to_bfloat16(next[c]));
    }
  }
  return found;
}

}  // namespace coverset
