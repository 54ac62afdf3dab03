// Compiled into each test program of the copy with mutants: writes which mutants a test reaches,
// and how long it takes, to the file that RTS_MUTANTS_REACHED names, one JSON object a line.
#include <cstdio>
#include <cstdlib>
#include <string>

#include <gtest/gtest.h>

namespace {

class Recorder : public testing::EmptyTestEventListener {
 public:
  explicit Recorder(const char* path) : out_(std::fopen(path, "w")) {}
  ~Recorder() override {
    if (out_ != nullptr) std::fclose(out_);
  }

  // What ran before the first test, or between two.
  void OnTestStart(const testing::TestInfo&) override { write("", "", 0); }
  void OnTestEnd(const testing::TestInfo& test) override {
    const auto name = std::string(test.test_suite_name()) + "." + test.name();
    const testing::TestResult& result = *test.result();
    const char* const outcome = result.Failed()    ? "failed"
                                : result.Skipped() ? "skipped"
                                                   : "passed";
    write(name, outcome, static_cast<double>(result.elapsed_time()) / 1000);
  }

 private:
  void write(const std::string& test, const char* outcome, double seconds) {
    if (out_ == nullptr) return;
    std::fprintf(out_, R"({"test": "%s", "outcome": "%s", "seconds": %.3f, "reached": [)",
                 test.c_str(), outcome, seconds);
    write_marked(mutants::Mark::reached);
    std::fputs("], \"impossible\": [", out_);
    write_marked(mutants::Mark::impossible);
    std::fputs("]}\n", out_);
    std::fflush(out_);
    for (mutants::Mark& mark : mutants::marks) mark = mutants::Mark::none;
  }
  void write_marked(mutants::Mark wanted) {
    const char* comma = "";
    for (int id = 0; id < mutants::kMost; ++id) {
      if (mutants::marks[id] != wanted) continue;
      std::fprintf(out_, "%s%d", comma, id);
      comma = ",";
    }
  }

  std::FILE* out_;
};

const bool recording = [] {
  const char* const path = std::getenv("RTS_MUTANTS_REACHED");
  if (path != nullptr) {
    testing::UnitTest::GetInstance()->listeners().Append(new Recorder(path));  // gtest deletes it
  }
  return path != nullptr;
}();

}  // namespace
