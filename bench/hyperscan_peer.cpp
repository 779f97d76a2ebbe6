// Hyperscan's C library on packed texts: one block-mode database for all patterns, one thread,
// votes collected row by row as a label matrix holds them. Prints JSON. Build: c++ -O3
// -march=native -std=c++20 hyperscan_peer.cpp -lhs Run: hyperscan_peer PATTERNS TEXTS REPEATS
//   PATTERNS: a line each, "flags<TAB>pattern"; flags: i caseless, s single match, u UTF-8, d
//   dot-all TEXTS: int64 n, n + 1 int64 offsets, bytes
#include <hs/hs.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <stdexcept>
#include <string>
#include <vector>

namespace {

struct Patterns {
  std::vector<std::string> text;
  std::vector<unsigned> flags;
};

struct Texts {
  std::vector<std::int64_t> offsets;
  std::vector<char> bytes;
};

// Pattern ids of row r: lfs[starts[r]] up to lfs[starts[r + 1]], ascending, each once.
struct Votes {
  std::vector<std::int64_t> starts;
  std::vector<std::int32_t> lfs;
};

unsigned flag(char letter) {
  switch (letter) {
    case 'i':
      return HS_FLAG_CASELESS;
    case 's':
      return HS_FLAG_SINGLEMATCH;
    case 'u':
      return HS_FLAG_UTF8;
    case 'd':
      return HS_FLAG_DOTALL;
    default:
      throw std::runtime_error(std::string("unknown flag ") + letter);
  }
}

Patterns read_patterns(const char* path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw std::runtime_error(std::string("cannot read ") + path);
  Patterns patterns;
  for (std::string line; std::getline(file, line);) {
    const std::size_t tab = line.find('\t');
    if (tab == std::string::npos) throw std::runtime_error("no tab in " + line);
    unsigned flags = 0;
    for (const char letter : line.substr(0, tab)) flags |= flag(letter);
    patterns.flags.push_back(flags);
    patterns.text.push_back(line.substr(tab + 1));
  }
  return patterns;
}

Texts read_texts(const char* path) {
  std::ifstream file(path, std::ios::binary);
  std::int64_t n = -1;
  file.read(reinterpret_cast<char*>(&n), sizeof n);
  if (!file || n < 0) throw std::runtime_error(std::string("cannot read ") + path);
  Texts texts;
  texts.offsets.resize(static_cast<std::size_t>(n) + 1);
  file.read(reinterpret_cast<char*>(texts.offsets.data()),
            static_cast<std::streamsize>(texts.offsets.size() * sizeof(std::int64_t)));
  if (!file) throw std::runtime_error("offsets are cut short");
  texts.bytes.resize(static_cast<std::size_t>(texts.offsets.back()));
  file.read(texts.bytes.data(), texts.offsets.back());
  if (!file) throw std::runtime_error("texts are cut short");
  return texts;
}

hs_database_t* compile(const Patterns& patterns) {
  std::vector<const char*> text;
  std::vector<unsigned> ids;
  for (const std::string& pattern : patterns.text) {
    ids.push_back(static_cast<unsigned>(text.size()));
    text.push_back(pattern.c_str());
  }
  hs_database_t* database = nullptr;
  hs_compile_error_t* error = nullptr;
  if (hs_compile_multi(text.data(), patterns.flags.data(), ids.data(),
                       static_cast<unsigned>(text.size()), HS_MODE_BLOCK, nullptr, &database,
                       &error) != HS_SUCCESS) {
    throw std::runtime_error("pattern " + std::to_string(error->expression) + ": " +
                             error->message);
  }
  return database;
}

int on_match(unsigned id, unsigned long long, unsigned long long, unsigned, void* lfs) {
  static_cast<std::vector<std::int32_t>*>(lfs)->push_back(static_cast<std::int32_t>(id));
  return 0;
}

Votes scan(const hs_database_t* database, hs_scratch_t* scratch, const Texts& texts) {
  Votes votes;
  const std::size_t n = texts.offsets.size() - 1;
  votes.starts.reserve(n + 1);
  votes.starts.push_back(0);
  for (std::size_t row = 0; row < n; ++row) {
    const std::int64_t start = texts.offsets[row];
    const auto length = static_cast<unsigned>(texts.offsets[row + 1] - start);
    const auto before = static_cast<std::ptrdiff_t>(votes.lfs.size());
    if (hs_scan(database, texts.bytes.data() + start, length, 0, scratch, on_match, &votes.lfs) !=
        HS_SUCCESS) {
      throw std::runtime_error("row " + std::to_string(row) + ": the scan failed");
    }
    const auto first = votes.lfs.begin() + before;
    if (votes.lfs.end() - first > 1) {  // repeats come only from patterns without the flag s
      std::sort(first, votes.lfs.end());
      votes.lfs.erase(std::unique(first, votes.lfs.end()), votes.lfs.end());
    }
    votes.starts.push_back(static_cast<std::int64_t>(votes.lfs.size()));
  }
  return votes;
}

// The sum of (row * 1000003 + pattern) * 0x9E3779B97F4A7C15 over all votes, mod 2^64.
std::uint64_t checksum(const Votes& votes) {
  std::uint64_t sum = 0;
  for (std::size_t row = 0; row + 1 < votes.starts.size(); ++row) {
    for (std::int64_t i = votes.starts[row]; i < votes.starts[row + 1]; ++i) {
      const auto lf = static_cast<std::uint64_t>(votes.lfs[static_cast<std::size_t>(i)]);
      sum += (row * 1000003 + lf) * 0x9E3779B97F4A7C15ULL;
    }
  }
  return sum;
}

double now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

void run(const char* patterns_path, const char* texts_path, int repeats) {
  const Patterns patterns = read_patterns(patterns_path);
  const Texts texts = read_texts(texts_path);
  const double before = now();
  hs_database_t* database = compile(patterns);
  const double compile_seconds = now() - before;
  hs_scratch_t* scratch = nullptr;
  if (hs_alloc_scratch(database, &scratch) != HS_SUCCESS) throw std::runtime_error("no scratch");
  Votes votes = scan(database, scratch, texts);  // to warm up
  std::printf("{\"seconds\": [");
  for (int repeat = 0; repeat < repeats; ++repeat) {
    const double start = now();
    votes = scan(database, scratch, texts);
    std::printf("%s%.6f", repeat > 0 ? ", " : "", now() - start);
  }
  std::printf("], \"compile_seconds\": %.6f, \"bytes\": %zu, \"votes\": %zu, ", compile_seconds,
              texts.bytes.size(), votes.lfs.size());
  std::printf("\"checksum\": %llu, \"version\": \"%s\"}\n",
              static_cast<unsigned long long>(checksum(votes)), hs_version());
  hs_free_scratch(scratch);
  hs_free_database(database);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) {
    std::fprintf(stderr, "usage: hyperscan_peer PATTERNS TEXTS REPEATS\n");
    return 2;
  }
  try {
    run(argv[1], argv[2], std::atoi(argv[3]));
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
