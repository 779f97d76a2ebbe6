// Whole strings, and columns of few distinct values.
#include <bit>
#include <string_view>

#include "coverset/lf.hpp"
#include "lf/hits.hpp"
#include "lf/text_blocks.hpp"

namespace coverset {
namespace {

std::size_t hash(std::string_view text) {
  std::uint64_t value = 0xcbf29ce484222325ULL ^ text.size();
  for (; text.size() >= 8; text.remove_prefix(8)) {
    std::uint64_t word;
    std::memcpy(&word, text.data(), 8);
    value = (value ^ word) * 0x9e3779b97f4a7c15ULL;
    value ^= value >> 32;
  }
  for (const char c : text) value = (value ^ static_cast<unsigned char>(c)) * 0x100000001b3ULL;
  return value ^ value >> 29;
}

}  // namespace

StringTable::StringTable(std::vector<std::string> strings,
                         std::vector<std::vector<std::int32_t>> rules,
                         std::vector<std::int32_t> others)
    : strings_(std::move(strings)),
      rules_(std::move(rules)),
      others_(std::move(others)),
      slots_(std::bit_ceil(2 * strings_.size() + 2), -1) {
  for (std::size_t i = 0; i < strings_.size(); ++i) {
    std::size_t slot = hash(strings_[i]) & (slots_.size() - 1);
    while (slots_[slot] >= 0) slot = (slot + 1) & (slots_.size() - 1);
    slots_[slot] = static_cast<std::int32_t>(i);
  }
}

std::span<const std::int32_t> StringTable::find(const char* text, std::int64_t bytes) const {
  const std::string_view wanted(text, static_cast<std::size_t>(bytes));
  std::size_t slot = hash(wanted) & (slots_.size() - 1);
  for (; slots_[slot] >= 0; slot = (slot + 1) & (slots_.size() - 1)) {
    const auto i = static_cast<std::size_t>(slots_[slot]);
    if (strings_[i] == wanted) return rules_[i];
  }
  return others_;
}

Hits match_strings(const Cpu& device, const StringTable& table, const TextView& text) {
  return collect_hits(device, text.rows(), block_rows(text),
                      [&](std::int64_t begin, std::int64_t end, Hits& hits) {
                        for (std::int64_t row = begin; row < end; ++row) {
                          if (!text.validity[row]) continue;
                          const TextRow at = text.row(row);
                          for (const std::int32_t rule : table.find(at.text, at.bytes)) {
                            hits.rows.push_back(static_cast<std::int32_t>(row));
                            hits.rules.push_back(rule);
                          }
                        }
                      });
}

Hits expand_hits(const Cpu& device, std::span<const std::int32_t> rows,
                 std::span<const std::int32_t> rules, std::span<const std::int32_t> codes,
                 std::int64_t n_values) {
  std::vector<std::int64_t> starts(static_cast<std::size_t>(n_values) + 1, 0);
  for (const std::int32_t row : rows) ++starts[static_cast<std::size_t>(row) + 1];
  for (std::size_t i = 1; i < starts.size(); ++i) starts[i] += starts[i - 1];
  const auto n = static_cast<std::int64_t>(codes.size());
  return collect_hits(device, n, 1 << 15, [&](std::int64_t begin, std::int64_t end, Hits& hits) {
    for (std::int64_t row = begin; row < end; ++row) {
      const std::int32_t code = codes[static_cast<std::size_t>(row)];
      if (code < 0) continue;
      const auto value = static_cast<std::size_t>(code);
      for (std::int64_t at = starts[value]; at < starts[value + 1]; ++at) {
        hits.rows.push_back(static_cast<std::int32_t>(row));
        hits.rules.push_back(rules[static_cast<std::size_t>(at)]);
      }
    }
  });
}

std::int64_t total_bytes(const TextView& text) {
  if (text.rows() == 0) return 0;
  if (text.layout != TextView::Layout::views) {
    const TextRow last = text.row(text.rows() - 1);
    return text.row(0).readable - last.readable + last.bytes;
  }
  std::int64_t bytes = 0;
  for (std::int64_t row = 0; row < text.rows(); ++row) {
    if (text.validity[row]) bytes += text.row(row).bytes;
  }
  return bytes;
}

std::int64_t take_offsets(const TextView& text, std::span<const std::int32_t> rows, bool lines,
                          std::span<std::int64_t> offsets) {
  offsets[0] = 0;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    offsets[i + 1] = offsets[i] + (text.validity[rows[i]] ? text.row(rows[i]).bytes : 0) + lines;
  }
  return offsets.back();
}

void take_bytes(const TextView& text, std::span<const std::int32_t> rows, bool lines, char* out) {
  for (const std::int32_t i : rows) {
    const TextRow row = text.validity[i] ? text.row(i) : TextRow{out, 0, 0};
    std::memcpy(out, row.text, static_cast<std::size_t>(row.bytes));
    out += row.bytes;
    if (lines) *out++ = '\n';
  }
}

}  // namespace coverset
