// Hyperscan or Vectorscan as the system has it, loaded at run time; nothing is linked.
#include <dlfcn.h>

#include <algorithm>
#include <limits>
#include <mutex>
#include <new>
#include <stdexcept>

#include "coverset/error.hpp"
#include "coverset/lf.hpp"
#include "lf/hits.hpp"

namespace coverset {
namespace {

// The C interface of Hyperscan 5, as far as it is used here.
constexpr unsigned kSingleMatch = 8, kAllowEmpty = 16, kUtf8 = 32, kBlockMode = 1;
struct CompileError {
  char* message;
  int expression;
};
using OnMatch = int (*)(unsigned, unsigned long long, unsigned long long, unsigned, void*);
using Compile = int (*)(const char* const*, const unsigned*, const unsigned*, unsigned, unsigned,
                        const void*, void**, CompileError**);
using FreeError = int (*)(CompileError*);
using Scan = int (*)(const void*, const char*, unsigned, unsigned, void*, OnMatch, void*);
using MakeScratch = int (*)(const void*, void**);
using Free = int (*)(void*);

struct Library {
  Compile compile = nullptr;
  FreeError free_error = nullptr;
  Scan scan = nullptr;
  MakeScratch make_scratch = nullptr;
  Free free_scratch = nullptr, free_database = nullptr;

  Library() {
    for (const char* name : {"libhs.so.5", "libhs.so", "libhs.5.dylib", "libhs.dylib"}) {
      void* handle = dlopen(name, RTLD_NOW | RTLD_LOCAL);
      if (handle == nullptr) continue;
      find(handle, "hs_compile_multi", compile);
      find(handle, "hs_free_compile_error", free_error);
      find(handle, "hs_scan", scan);
      find(handle, "hs_alloc_scratch", make_scratch);
      find(handle, "hs_free_scratch", free_scratch);
      find(handle, "hs_free_database", free_database);
      if (whole()) return;
    }
  }
  template <class Function>
  static void find(void* handle, const char* name, Function& function) {
    function = reinterpret_cast<Function>(dlsym(handle, name));
  }
  bool whole() const {
    return compile != nullptr && free_error != nullptr && scan != nullptr &&
           make_scratch != nullptr && free_scratch != nullptr && free_database != nullptr;
  }
};

const Library& library() {
  static const Library loaded;
  return loaded;
}

constexpr std::int64_t kSliceBytes = 1 << 20;

}  // namespace

/// The database, and memory to scan with, which is lent to one thread at a time.
struct PatternDatabase::Parts {
  void* database = nullptr;
  std::size_t patterns = 0;
  std::mutex mutex;
  std::vector<void*> scratches;

  ~Parts() {
    for (void* scratch : scratches) library().free_scratch(scratch);
    if (database != nullptr) library().free_database(database);
  }
  void* borrow() {
    {
      const std::lock_guard lock(mutex);
      if (!scratches.empty()) {
        void* scratch = scratches.back();
        scratches.pop_back();
        return scratch;
      }
    }
    void* scratch = nullptr;
    if (library().make_scratch(database, &scratch) != 0) throw std::bad_alloc();
    return scratch;
  }
  void give_back(void* scratch) {
    const std::lock_guard lock(mutex);
    scratches.push_back(scratch);
  }
};

bool PatternDatabase::available() { return library().whole(); }

PatternDatabase::PatternDatabase(const std::vector<std::string>& patterns, bool once)
    : parts_(std::make_unique<Parts>()) {
  require(available(), "neither Hyperscan nor Vectorscan is installed");
  std::vector<const char*> texts;
  std::vector<unsigned> ids;
  for (const std::string& pattern : patterns) {
    require(pattern.find('\0') == std::string::npos, "a pattern must not hold a NUL byte");
    ids.push_back(static_cast<unsigned>(ids.size()));
    texts.push_back(pattern.c_str());
  }
  const std::vector<unsigned> flags(texts.size(),
                                    once ? kUtf8 | kSingleMatch | kAllowEmpty : kUtf8);
  CompileError* error = nullptr;
  const int failed =
      library().compile(texts.data(), flags.data(), ids.data(), static_cast<unsigned>(ids.size()),
                        kBlockMode, nullptr, &parts_->database, &error);
  const std::string message = error != nullptr ? error->message : "unknown";
  if (error != nullptr) library().free_error(error);
  require(failed == 0, "the patterns do not compile: ", message);
  parts_->patterns = ids.size();
}
PatternDatabase::~PatternDatabase() = default;
PatternDatabase::PatternDatabase(PatternDatabase&&) noexcept = default;

namespace {

/// Rows scanned by one call, and what was found: (place << 32 | pattern), of places among `ends`.
struct Found {
  std::span<const std::int64_t> offsets;
  std::int64_t place = 0;
  std::vector<std::int64_t> last_place;  // by pattern
  std::vector<std::uint64_t> pairs;
  std::int64_t matches = 0;

  void add(std::int64_t at, unsigned pattern) {
    if (at < 0 || at + 1 >= static_cast<std::int64_t>(offsets.size())) return;
    if (last_place[pattern] == at) return;
    last_place[pattern] = at;
    pairs.push_back(static_cast<std::uint64_t>(at) << 32 | pattern);
  }
  /// A match that ends where a line begins may be of the line before, or of nothing in it.
  void add_end(std::int64_t end, unsigned pattern) {
    ++matches;
    const auto size = static_cast<std::int64_t>(offsets.size());
    if (offsets[static_cast<std::size_t>(place)] > end) {
      place = std::ranges::upper_bound(offsets, end) - offsets.begin() - 1;
    }
    while (place + 1 < size && offsets[static_cast<std::size_t>(place + 1)] <= end) ++place;
    if (offsets[static_cast<std::size_t>(place)] == end) add(place - 1, pattern);
    add(place, pattern);
  }
};

int on_line(unsigned pattern, unsigned long long, unsigned long long end, unsigned, void* found) {
  static_cast<Found*>(found)->add_end(static_cast<std::int64_t>(end), pattern);
  return 0;
}
int on_row(unsigned pattern, unsigned long long, unsigned long long, unsigned, void* found) {
  auto& all = *static_cast<Found*>(found);
  all.add(all.place, pattern);
  return 0;
}

/// Memory to scan with, given back at the end.
class Loan {
 public:
  explicit Loan(PatternDatabase::Parts& parts) : parts_(parts), scratch_(parts.borrow()) {}
  ~Loan() { parts_.give_back(scratch_); }
  Loan(const Loan&) = delete;
  Loan& operator=(const Loan&) = delete;
  void* scratch() const { return scratch_; }

 private:
  PatternDatabase::Parts& parts_;
  void* scratch_;
};

void scan_bytes(const PatternDatabase::Parts& parts, const char* data, std::int64_t bytes,
                void* scratch, OnMatch on_match, Found& found) {
  const int failed = library().scan(parts.database, data, static_cast<unsigned>(bytes), 0, scratch,
                                    on_match, &found);
  if (failed != 0) throw std::runtime_error("Hyperscan failed: " + std::to_string(failed));
}

}  // namespace

PatternHits find_patterns(const Cpu& device, const PatternDatabase& database, const TextView& text,
                          std::span<const std::int32_t> rows, bool as_lines) {
  PatternDatabase::Parts& parts = database.parts();
  const std::int64_t mean = total_bytes(text) / std::max<std::int64_t>(1, text.n) + 1;
  const auto n = static_cast<std::int64_t>(rows.size());
  const std::int64_t step = std::max<std::int64_t>(1, kSliceBytes / mean);
  std::vector<std::int64_t> matches(static_cast<std::size_t>((n + step - 1) / step));
  PatternHits result;
  result.hits =
      collect_hits(device, n, step, [&](std::int64_t begin, std::int64_t end, Hits& hits) {
        const auto some =
            rows.subspan(static_cast<std::size_t>(begin), static_cast<std::size_t>(end - begin));
        std::vector<std::int64_t> offsets(some.size() + 1);
        const std::int64_t whole = take_offsets(text, some, as_lines, offsets);
        std::vector<char> data(static_cast<std::size_t>(whole) + 1);  // never a null pointer
        take_bytes(text, some, as_lines, data.data());
        Found found{offsets, 0, std::vector<std::int64_t>(parts.patterns, -1), {}, 0};
        const Loan loan(parts);
        if (whole > std::numeric_limits<std::uint32_t>::max()) {  // more than a call takes
          for (found.place = 0; found.place < end - begin; ++found.place) {
            for (unsigned p = 0; p < parts.patterns; ++p) found.add(found.place, p);
          }
        } else if (as_lines) {
          scan_bytes(parts, data.data(), whole, loan.scratch(), on_line, found);
        } else {
          for (std::size_t i = 0; i < some.size(); ++i) {
            found.place = static_cast<std::int64_t>(i);
            scan_bytes(parts, data.data() + offsets[i], offsets[i + 1] - offsets[i], loan.scratch(),
                       on_row, found);
          }
        }
        std::ranges::sort(found.pairs);
        found.pairs.erase(std::unique(found.pairs.begin(), found.pairs.end()), found.pairs.end());
        for (const std::uint64_t pair : found.pairs) {
          hits.rows.push_back(some[static_cast<std::size_t>(pair >> 32)]);
          hits.rules.push_back(static_cast<std::int32_t>(pair & 0xFFFFFFFF));
        }
        matches[static_cast<std::size_t>(begin / step)] = found.matches;
      });
  for (const std::int64_t one : matches) result.matches += one;
  return result;
}

}  // namespace coverset
