// The house rules over the source tree, the documents that are generated from the code, and bad
// examples that show that the rules can fail.
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <rts/config/render.hpp>

#include "support/engine_run.hpp"
#include "support/paths.hpp"
#include "support/scratch_files.hpp"
#include "tidy/checker.hpp"

namespace rts::tidy {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

std::vector<SourceFile> sources_under(const std::vector<std::string>& tops) {
  std::vector<SourceFile> files;
  const fs::path root = test::source_root();
  for (const std::string& top : tops) {
    for (const auto& entry : fs::recursive_directory_iterator(root / top)) {
      const std::string extension = entry.path().extension();
      if (extension != ".hpp" && extension != ".cpp") continue;
      files.push_back({fs::relative(entry.path(), root), test::read_file(entry.path())});
    }
  }
  EXPECT_FALSE(files.empty());
  return files;
}

std::vector<SourceFile> product() { return sources_under({"include", "src"}); }

TEST(Tidy, RoomsIncludeOnlyTheirOwnFloorAndThoseBelow) {
  EXPECT_THAT(include_offences(product()), IsEmpty());
}

TEST(Tidy, TheCoreHasNoExceptionThreadEnvironmentOrClock) {
  EXPECT_THAT(core_offences(product()), IsEmpty());
}

TEST(Tidy, OnlyOnePlacePrints) { EXPECT_THAT(output_offences(product()), IsEmpty()); }

TEST(Tidy, LinesAreShortAndHeadersAreGuardedAndIntroduced) {
  EXPECT_THAT(text_offences(sources_under({"include", "src", "tests"})), IsEmpty());
}

TEST(Tidy, FunctionsAreShort) { EXPECT_THAT(length_offences(product()), IsEmpty()); }

// Generated: run this test with RTS_UPDATE_DOCS=1 to write the document anew.
TEST(Tidy, ConfigurationIsDocumentedAsItIs) {
  const fs::path path = fs::path(test::source_root()) / "docs/CONFIGURATION.md";
  const std::string current = render(test::configured({}), config::Format::markdown);
  if (std::getenv("RTS_UPDATE_DOCS") != nullptr) {
    std::ofstream(path, std::ios::binary) << current;
  }
  EXPECT_EQ(test::read_file(path), current)
      << "docs/CONFIGURATION.md is stale: RTS_UPDATE_DOCS=1 ctest -R ConfigurationIsDocumented";
}

// --- Bad examples -------------------------------------------------------------------------------

std::vector<SourceFile> file(const char* path, const std::string& text) { return {{path, text}}; }

TEST(TidyChecker, SeesAnIncludeOfAFloorAbove) {
  EXPECT_THAT(include_offences(file("src/base/x.cpp", "#include <rts/wire/frame.hpp>\n")),
              ElementsAre("src/base/x.cpp:1: base includes wire: that is a floor above"));
  EXPECT_THAT(
      include_offences(
          file("include/rts/engine/x.hpp", "\n#include \"commands/command_line.hpp\"\n")),
      ElementsAre("include/rts/engine/x.hpp:2: engine includes commands: that is a floor above"));
  EXPECT_THAT(include_offences(file("src/service/x.cpp", "#include <rts/wire/frame.hpp>\n")),
              IsEmpty());
  EXPECT_THAT(include_offences(file("src/main.cpp", "#include \"commands/command_line.hpp\"\n")),
              IsEmpty());
  EXPECT_THAT(include_offences(file("src/wire/x.cpp", "#include \"number_text.hpp\"\n")),
              IsEmpty());
}

TEST(TidyChecker, SeesACircleOfRooms) {
  const std::vector<SourceFile> circle{{"src/wire/a.cpp", "#include <rts/trading/order.hpp>\n"},
                                       {"src/trading/b.cpp", "#include \"strategy/signal.hpp\"\n"},
                                       {"src/strategy/c.cpp", "#include <rts/wire/frame.hpp>\n"}};
  EXPECT_THAT(include_offences(circle), testing::Contains(HasSubstr("a circle of rooms")));
}

TEST(TidyChecker, SeesNeighboursMeet) {
  EXPECT_THAT(include_offences(file("src/http/x.cpp", "#include \"nats/client.hpp\"\n")),
              ElementsAre(HasSubstr("they meet in service only")));
  EXPECT_THAT(include_offences(file("src/nats/x.cpp", "#include \"http/server.hpp\"\n")),
              ElementsAre(HasSubstr("they meet in service only")));
  EXPECT_THAT(include_offences(file("src/service/x.cpp", "#include \"simulation/market.hpp\"\n")),
              ElementsAre(HasSubstr("they meet in commands only")));
  EXPECT_THAT(include_offences(file("src/simulation/x.cpp", "#include \"service/service.hpp\"\n")),
              ElementsAre(HasSubstr("they meet in commands only")));
}

TEST(TidyChecker, SeesALibraryOutsideItsRooms) {
  const std::vector<std::pair<const char*, const char*>> bad{
      {"src/engine/x.cpp", "simdjson.h"},     {"include/rts/wire/x.hpp", "nats.h"},
      {"src/service/x.cpp", "nats/nats.h"},   {"src/service/x.cpp", "openssl/evp.h"},
      {"src/config/x.cpp", "boost/asio.hpp"}, {"src/telemetry/x.cpp", "boost/beast/http.hpp"},
      {"src/http/x.cpp", "spdlog/spdlog.h"},  {"src/main.cpp", "prometheus/counter.h"}};
  for (const auto& [path, include] : bad) {
    EXPECT_THAT(include_offences(file(path, fmt::format("#include <{}>\n", include))),
                ElementsAre(HasSubstr("does not belong here")));
  }
  EXPECT_THAT(include_offences(file("src/wire/x.cpp", "#include <simdjson.h>\n")), IsEmpty());
  EXPECT_THAT(include_offences(file("src/nats/x.cpp", "#include <boost/asio/post.hpp>\n")),
              IsEmpty());
}

TEST(TidyChecker, SeesWhatTheCoreMustNotDo) {
  for (const char* code :
       {"throw 1;", "std::thread t;", "std::jthread t;", "std::getenv(x);",
        "std::chrono::system_clock::now();", "SteadyClock x = steady_clock::now();"}) {
    EXPECT_THAT(core_offences(file("src/engine/x.cpp", code)), testing::SizeIs(1)) << code;
    EXPECT_THAT(core_offences(file("src/service/x.cpp", code)), IsEmpty()) << code;
  }
  EXPECT_THAT(
      core_offences(file("src/engine/x.cpp",
                         "// throw nothing\n/* throw\n */ auto x = \"throw\";\n"
                         "int rethrow = 86'400; char c = '\"'; auto y = R\"(throw \")\";\n")),
      IsEmpty());
}

TEST(TidyChecker, SeesWhoPrintsPastTheOnePlaceThatDoes) {
  for (const char* code : {"fmt::print(stderr, x);", "std::perror(x);", "std::cout << x;",
                           "std::fwrite(x, 1, n, file);"}) {
    EXPECT_THAT(output_offences(file("src/service/x.cpp", code)),
                ElementsAre(HasSubstr("commands/output prints")))
        << code;
  }
  EXPECT_THAT(
      output_offences(file("src/service/x.cpp", "fmt::printf_like(x); commands::print_error(x);")),
      IsEmpty());
  EXPECT_THAT(output_offences(file("src/commands/output.cpp", "std::fwrite(x, 1, n, out);")),
              IsEmpty());
}

TEST(TidyChecker, SeesLongLinesNotesAndBareHeaders) {
  const std::string columns_100(100, 'x');
  std::string umlauts;
  for (int i = 0; i < 100; ++i) umlauts += "ü";
  EXPECT_THAT(text_offences(file("src/a.cpp", columns_100 + "\n" + umlauts + "\n")), IsEmpty());
  EXPECT_THAT(text_offences(file("src/a.cpp", columns_100 + "x\n")),
              ElementsAre("src/a.cpp:1: 101 columns"));
  EXPECT_THAT(text_offences(file("src/a.cpp",
                                 "// TO"
                                 "DO later\n// FIX"
                                 "ME\n")),
              testing::SizeIs(2));
  EXPECT_THAT(text_offences(file("src/a.hpp", "int x;\n")),
              ElementsAre("src/a.hpp: no #pragma once", "src/a.hpp: no opening comment"));
  EXPECT_THAT(text_offences(file("src/a.hpp", "// A.\n#pragma once\nint x;\n")), IsEmpty());
}

std::string function_of(int lines, const std::string& head) {
  std::string text = head + " {\n";
  for (int i = 0; i < lines - 2; ++i) text += "  x();  // {\n";
  return text + "}\n";
}

TEST(TidyChecker, SeesLongFunctionsWhereverTheyStand) {
  for (const char* head : {"void f()", "int g(int a,\nint b)", "X::X() : a_{1}, b_(2)"}) {
    const int extra = head[0] == 'i' ? 1 : 0;
    for (const char* before : {"", "namespace a {\nclass B {\n",
                               "constexpr int kX[] = {1, 2};\nstruct A { int x{1}; };\n",
                               "BOOST_DEFINE_FIXED_ENUM_CLASS(E, char, a, b)\n\n"}) {
      const auto lengths = [&](int lines) {
        return length_offences(file("src/a.cpp", before + function_of(lines, head)));
      };
      EXPECT_THAT(lengths(70 - extra), IsEmpty()) << before << head;
      EXPECT_THAT(lengths(71 - extra), ElementsAre(HasSubstr("a function of 71 lines")))
          << before << head;
    }
  }
}

}  // namespace
}  // namespace rts::tidy
