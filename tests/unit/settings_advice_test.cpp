// Settings that cannot be meant: what is refused across settings, what is warned of, and what the
// file of the venue's instruments says.
#include <string>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <rts/config/render.hpp>
#include <rts/config/settings.hpp>

#include "commands/command_line.hpp"
#include "commands/input.hpp"
#include "support/engine_run.hpp"
#include "support/paths.hpp"
#include "support/scratch_files.hpp"

namespace rts::config {
namespace {

using test::configured;
using test::given;
using testing::AllOf;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::StartsWith;

Problems problems_of(const std::vector<Given>& environment, const ReadFile& read_file = {}) {
  const auto loaded = load(environment, {}, read_file);
  return loaded ? Problems{} : loaded.error();
}

// --- Order subjects -----------------------------------------------------------------------------

struct Subjects {
  const char* publisher;
  const char* consumer;
  const char* control;
  const char* refused;  // the subscription that would hear; empty: accepted
};
constexpr Subjects kSubjects[] = {
    {"orders", "data", "control", ""},
    {"data", "data", "control", "NATS_CONSUMER_TOPIC=data"},
    {"a.orders", "a.>", "control", "NATS_CONSUMER_TOPIC=a.>"},
    {"a.orders", "a.*", "control", "NATS_CONSUMER_TOPIC=a.*"},
    {"a.orders", "*.orders", "control", "NATS_CONSUMER_TOPIC=*.orders"},
    {"a.orders", ">", "control", "NATS_CONSUMER_TOPIC=>"},
    {"a.b.orders", "a.*", "control", ""},
    {"a", "a.>", "control", ""},
    {"A", "a", "control", ""},
    {"control", "data", "control", "CONTROL_TOPIC=control"},
    {"orders", "data", "", ""},
    {"cio.{strategy}", "cio.*", "control", "NATS_CONSUMER_TOPIC=cio.*"},
    {"cio.{strategy}", "cio.trade_momentum", "control", "NATS_CONSUMER_TOPIC=cio.trade_momentum"},
    {"cio.{strategy}", "cio.data", "control", ""},
    {"cio.{strategy}", "data", "cio.ticker_velocity", "CONTROL_TOPIC=cio.ticker_velocity"},
};

// SPEC §5: "matched neither by the consumer nor by the control subject (our own subscription would
// be the listener)".
TEST(SettingsAdvice, OrdersAreNotPublishedWhereWeListenOurselves) {
  for (const Subjects& row : kSubjects) {
    const Problems problems = problems_of(given({{"NATS_PUBLISHER_TOPIC", row.publisher},
                                                 {"NATS_CONSUMER_TOPIC", row.consumer},
                                                 {"CONTROL_TOPIC", row.control}}));
    const std::string what = fmt::format("{} {} {}", row.publisher, row.consumer, row.control);
    if (std::string_view(row.refused).empty()) {
      EXPECT_THAT(problems, IsEmpty()) << what;
    } else {
      EXPECT_THAT(problems, ElementsAre(AllOf(StartsWith("NATS_PUBLISHER_TOPIC="),
                                              HasSubstr(std::string("matched by ") + row.refused))))
          << what;
    }
  }
}

// --- The order log ------------------------------------------------------------------------------

std::vector<Given> in_jetstream(std::vector<Given> given) {
  given.push_back({"ORDER_DELIVERY", "jetstream"});
  return given;
}

TEST(SettingsAdvice, TheOrderLogIsNotHeardWithTheFramesOrTheCommands) {
  for (const char* consumer : {"orders.>", "orders.intents", "orders.*", "*.intents.stored"}) {
    const auto environment = given({{"NATS_CONSUMER_TOPIC", consumer}});
    EXPECT_THAT(problems_of(in_jetstream(environment)),
                ElementsAre(AllOf(StartsWith("ORDER_LOG_TOPIC=orders.intents: "),
                                  HasSubstr(std::string("NATS_CONSUMER_TOPIC=") + consumer))))
        << consumer;
    EXPECT_THAT(problems_of(environment), IsEmpty()) << "there is no log in core mode";
  }
  for (const char* control : {"orders.intents", "orders.intents.stored"}) {
    EXPECT_THAT(problems_of(in_jetstream(given({{"CONTROL_TOPIC", control}}))),
                ElementsAre(StartsWith("ORDER_LOG_TOPIC=orders.intents: ")));
  }
  EXPECT_THAT(problems_of(in_jetstream(given({{"CONTROL_TOPIC", "orders"}}))), IsEmpty());
}

// As it was set where the stream republished: NATS_PUBLISHER_TOPIC=orders.intents.
TEST(SettingsAdvice, OrdersAreNotPublishedOnTheSubjectOfTheirLog) {
  for (const char* publisher : {"orders.intents", "orders.intents.stored"}) {
    EXPECT_THAT(problems_of(in_jetstream(given({{"NATS_PUBLISHER_TOPIC", publisher}}))),
                ElementsAre(AllOf(StartsWith(std::string("NATS_PUBLISHER_TOPIC=") + publisher),
                                  HasSubstr("leave NATS_PUBLISHER_TOPIC at tradeengine.orders"))));
    EXPECT_THAT(problems_of(given({{"NATS_PUBLISHER_TOPIC", publisher}})), IsEmpty());
  }
  EXPECT_THAT(problems_of(in_jetstream(given({{"NATS_PUBLISHER_TOPIC", "a.{strategy}"},
                                              {"ORDER_LOG_TOPIC", "a.trade_momentum"}}))),
              ElementsAre(StartsWith("NATS_PUBLISHER_TOPIC=a.{strategy}")));
  EXPECT_THAT(problems_of(in_jetstream({})), IsEmpty());
}

TEST(SettingsAdvice, SubjectsThatWereNotAcceptedAreNotCompared) {
  EXPECT_THAT(problems_of(in_jetstream(given(
                  {{"ORDER_LOG_TOPIC", "orders..intents"}, {"NATS_CONSUMER_TOPIC", "orders.>"}}))),
              ElementsAre(StartsWith("ORDER_LOG_TOPIC='orders..intents'")));
  EXPECT_THAT(problems_of(given({{"NATS_PUBLISHER_TOPIC", "a..b"}, {"NATS_CONSUMER_TOPIC", ">"}})),
              ElementsAre(StartsWith("NATS_PUBLISHER_TOPIC='a..b'")));
}

// --- Symbols ------------------------------------------------------------------------------------

// SPEC §5: "a symbol has no quote, blank, slash or control character".
TEST(SettingsAdvice, SymbolsHaveNoQuoteBlankSlashOrControlCharacter) {
  for (const char* symbol :
       {"\"BTCUSDT\"", "'BTCUSDT'", "`BTCUSDT", "BTC/USDT", "BTC\\USDT", "BTC USDT",
        "BTC\xC2\xA0USDT", "BTC\x01USDT", "BTC\xC2\x85USDT", "BTC\x7FUSDT", "BTC\nUSDT"}) {
    EXPECT_THAT(problems_of(given({{"TRADING_SYMBOLS", symbol}})),
                ElementsAre(StartsWith("TRADING_SYMBOLS='")))
        << symbol;
    EXPECT_THAT(problems_of({{"TRADING_QUANTITY_STEPS", std::string(symbol) + ":1"}}),
                ElementsAre(StartsWith("TRADING_QUANTITY_STEPS='")))
        << symbol;
    EXPECT_THAT(problems_of({{"TRADING_MIN_NOTIONALS", std::string(symbol) + ":1"}}),
                ElementsAre(StartsWith("TRADING_MIN_NOTIONALS='")))
        << symbol;
  }
}

// SPEC §5: "a listed symbol of another quote is an error".
TEST(SettingsAdvice, ListedSymbolsAreQuotedInOneOfTheAssets) {
  const struct {
    const char* symbols;
    const char* assets;
    std::vector<const char*> refused;
  } rows[] = {
      {"BTCUSDT", "USDT", {}},
      {"BTCUSDT,BTCUSDC", "USDT,USDC", {}},
      {"btcusdt", "usdt", {}},
      {"牛来USDT", "USDT", {}},
      {"BTCUSDT,BTCUSDC,ETHBTC", "USDT", {"BTCUSDC", "ETHBTC"}},
      {"USDT", "USDT", {"USDT"}},
      {"BTCUSDT_260925", "USDT", {"BTCUSDT_260925"}},
      {"BTCUSD_PERP", "USD", {"BTCUSD_PERP"}},
      {"*", "USDC", {}},
  };
  for (const auto& row : rows) {
    const Problems problems = problems_of(
        given({{"TRADING_SYMBOLS", row.symbols}, {"TRADING_QUOTE_ASSETS", row.assets}}));
    ASSERT_EQ(problems.size(), row.refused.size()) << row.symbols;
    for (std::size_t i = 0; i < problems.size(); ++i) {
      EXPECT_THAT(problems[i], StartsWith(fmt::format("TRADING_SYMBOLS: {} is not quoted in {}",
                                                      row.refused[i], row.assets)));
    }
  }
}

// --- Warnings -----------------------------------------------------------------------------------

TEST(SettingsAdvice, WarnsOfWhatASymbolLacksOfItsOwn) {
  const auto configuration = configured({{"TRADING_SYMBOLS", "BTCUSDT,ADAUSDT,XRPUSDT"},
                                         {"TRADING_QUANTITY_STEPS", "BTCUSDT:0.001,ADAUSDT:1"},
                                         {"TRADING_MIN_NOTIONALS", "BTCUSDT:100,XRPUSDT:5"}});
  EXPECT_THAT(configuration.warnings,
              ElementsAre(StartsWith("ADAUSDT: has no minimum notional of its own"),
                          StartsWith("XRPUSDT: has no step of its own, 0.001 is taken")));
}

TEST(SettingsAdvice, WarnsOnceOfWhatSymbolsMayLackWhereAllAreTraded) {
  EXPECT_THAT(configured({{"TRADING_SYMBOLS", "*"}}).warnings,
              ElementsAre(AllOf(StartsWith("TRADING_SYMBOLS=*"), HasSubstr("no step")),
                          AllOf(StartsWith("TRADING_SYMBOLS=*"), HasSubstr("no minimum"))));
}

TEST(SettingsAdvice, WarnsOfEntriesOfSymbolsThatAreNotTraded) {
  const auto configuration = configured({{"TRADING_SYMBOLS", "BTCUSDT"},
                                         {"TRADING_QUANTITY_STEPS", "BTCUSDT:0.001,ADAUSDT:1"},
                                         {"TRADING_MIN_NOTIONALS", "BTCUSDT:100,XRPUSDT:5"},
                                         {"TRADING_ORDER_NOTIONAL__ETHUSDT", "50"},
                                         {"TRADING_ORDER_NOTIONAL__BTCUSDT", "50"}});
  EXPECT_THAT(configuration.warnings,
              ElementsAre("TRADING_QUANTITY_STEPS: has an entry for ADAUSDT, which is not traded.",
                          "TRADING_MIN_NOTIONALS: has an entry for XRPUSDT, which is not traded.",
                          "TRADING_ORDER_NOTIONAL__ETHUSDT: ETHUSDT is not traded."));
}

TEST(SettingsAdvice, DoesNotWarnOfTheShippedEntriesOfOtherSymbols) {
  EXPECT_THAT(configured({{"TRADING_SYMBOLS", "BTCUSDT"}}).warnings, IsEmpty());
}

TEST(SettingsAdvice, WarnsOfEntriesThatAreQuotedOtherwiseWhereAllAreTraded) {
  const auto configuration = configured({{"TRADING_SYMBOLS", "*"},
                                         {"TRADING_ORDER_NOTIONAL__BTCUSDC", "50"},
                                         {"TRADING_ORDER_NOTIONAL__BTCUSDT", "50"}});
  EXPECT_THAT(configuration.warnings, Contains(HasSubstr("BTCUSDC is not traded")));
  EXPECT_THAT(configuration.warnings, Not(Contains(HasSubstr("BTCUSDT is not traded"))));
}

struct Delivery {
  std::vector<Given> environment;
  std::vector<const char*> warnings;
};

TEST(SettingsAdvice, WarnsOfHowReplicasWouldSendAndShare) {
  const char* const one = "run exactly one";
  const char* const forgets = "a restart forgets the cooldown and the day's count";
  const char* const part = "each sees a part";
  const auto off = [](const char* momentum, const char* velocity) {
    return given({{"STRATEGY_ENABLED_TRADE_MOMENTUM", momentum},
                  {"STRATEGY_ENABLED_TICKER_VELOCITY", velocity},
                  {"ENVIRONMENT", "test"}});
  };
  auto skew_only_but_for_one = off("false", "false");
  skew_only_but_for_one.push_back({"STRATEGY_ENABLED_TRADE_MOMENTUM__BTCUSDT", "true"});
  const Delivery rows[] = {
      {{}, {forgets, part}},
      {given({{"ENVIRONMENT", "PRODUCTION"}}), {forgets, part}},
      {given({{"ENVIRONMENT", "staging"}}), {part}},
      {given({{"ENVIRONMENT", "staging"}, {"NATS_CONSUMER_GROUP", ""}}), {one}},
      {given({{"NATS_CONSUMER_GROUP", ""}}), {one, forgets}},
      {given({{"NATS_CONSUMER_GROUP", ""}, {"ORDER_DELIVERY", "jetstream"}}), {}},
      {given({{"ORDER_DELIVERY", "jetstream"}}), {part}},
      {off("false", "false"), {}},
      {off("true", "false"), {part}},
      {off("false", "true"), {part}},
      {skew_only_but_for_one, {part}},
  };
  for (const Delivery& row : rows) {
    const auto configuration = configured(row.environment);
    std::string what;
    for (const Given& item : row.environment) what += item.name + "=" + item.value + " ";
    ASSERT_EQ(configuration.delivery_warnings.size(), row.warnings.size()) << what;
    for (std::size_t i = 0; i < row.warnings.size(); ++i) {
      EXPECT_THAT(configuration.delivery_warnings[i], HasSubstr(row.warnings[i])) << what;
    }
  }
}

// What a command says of its settings, on standard output and on standard error.
struct Said {
  std::string out;
  std::size_t warnings = 0;
};

Said said_by(const commands::Command& command, const std::vector<Given>& environment) {
  commands::Invocation invocation;
  invocation.command = &command;
  invocation.environment = environment;
  const bool loads_itself = command.needs == commands::Needs::itself;
  const Configuration configuration = loads_itself ? Configuration{} : configured(environment);
  testing::internal::CaptureStdout();
  testing::internal::CaptureStderr();
  EXPECT_EQ(commands::run_command(invocation, configuration), ExitCode::ok);
  std::string out = testing::internal::GetCapturedStdout();
  const std::string err = testing::internal::GetCapturedStderr();
  return {std::move(out), static_cast<std::size_t>(std::count(err.begin(), err.end(), '\n'))};
}

// The service has the warnings of both in its log.
TEST(SettingsAdvice, OfDeliveryIsGivenWhereOrdersAreSentAndWhereItIsAskedFor) {
  const auto configuration = configured({{"TRADING_SYMBOLS", "ADAUSDT"}});
  ASSERT_EQ(configuration.warnings.size(), 2U);
  ASSERT_EQ(configuration.delivery_warnings.size(), 2U);
  const auto environment = given({{"TRADING_SYMBOLS", "ADAUSDT"}});
  EXPECT_EQ(said_by(commands::kCheck, environment).warnings, 4U);
  EXPECT_EQ(said_by(commands::kConfig, environment).warnings, 2U);
  for (const commands::Command* const command : commands::kCommands) {
    const bool is_theirs = command == &commands::kRun || command == &commands::kDoctor;
    EXPECT_EQ(command->needs == commands::Needs::delivery, is_theirs) << command->name;
  }
}

TEST(SettingsAdvice, IsCountedByCheck) {
  const auto counted = [](const std::vector<Given>& environment) {
    return said_by(commands::kCheck, environment).out;
  };
  EXPECT_EQ(counted(given({{"NATS_CONSUMER_GROUP", ""}, {"ORDER_DELIVERY", "jetstream"}})),
            "settings are valid\n");
  EXPECT_EQ(counted({{"ORDER_DELIVERY", "jetstream"}}), "settings are valid, 1 warning\n");
  EXPECT_EQ(counted({{"MAX_MEMORY_MB", "1"}}), "settings are valid, 3 warnings\n");
}

// --- Values -------------------------------------------------------------------------------------

// Issue 11: "A byte-order mark, Windows line ends: accepted in recordings, env files and JSON
// files."
TEST(SettingsAdvice, FirstNameOfAFileWithAByteOrderMarkIsTakenWithoutIt) {
  const auto loaded = load(given({{"\xEF\xBB\xBF"
                                   "DRY_RUN_MODE",
                                   "true"}}),
                           {});
  ASSERT_TRUE(loaded);
  EXPECT_TRUE(loaded.value().settings.delivery.dry_run);
}

TEST(SettingsAdvice, ValuesOfAFileWithWindowsLineEndsAreTakenWithoutThem) {
  std::vector<Given> environment;
  for (const Setting& setting : table()) {
    environment.push_back({std::string(setting.name), setting.default_text() + "\r"});
  }
  environment.push_back({"TRADING_ORDER_NOTIONAL__BTCUSDT", "50\r"});
  const auto configuration = configured(environment);
  EXPECT_EQ(test::row_texts(configuration), test::row_texts(configured({})));
  EXPECT_EQ(test::own_values(configuration).front().text, "50");
}

TEST(SettingsAdvice, WarnIsTheLogLevelWarning) {
  for (const char* value : {"WARN", "warn", "WARNING"}) {
    EXPECT_EQ(configured({{"LOG_LEVEL", value}}).settings.log.level, LogLevel::warning) << value;
  }
  EXPECT_THAT(problems_of(given({{"LOG_LEVEL", "WARNI"}})), testing::SizeIs(1));
}

// --- TRADING_INSTRUMENTS_FILE -------------------------------------------------------------------

std::string data_path(const char* name) { return test::source_root() + "/tests/data/" + name; }

Result<Configuration, Problems> loaded_with(const std::string& file,
                                            std::vector<Given> environment = {}) {
  environment.push_back({"TRADING_INSTRUMENTS_FILE", file});
  return load(environment, {}, commands::read_settings_file);
}

Problems problems_with(const std::string& file, const std::vector<Given>& environment = {}) {
  const auto loaded = loaded_with(file, environment);
  return loaded ? Problems{} : loaded.error();
}

TEST(InstrumentsFile, GivesListedSymbolsTheirOwnInstrument) {
  const auto loaded = loaded_with(data_path("exchange_info_usdm.json"));
  ASSERT_TRUE(loaded) << testing::PrintToString(loaded.error());
  const auto& instruments = loaded.value().settings.instruments;
  ASSERT_EQ(instruments.size(), 3U);
  EXPECT_EQ(instruments[2].symbol.text(), "BNBUSDT");
  EXPECT_EQ(instruments[2].quantity_step.to_string(), "0.05");
}

TEST(InstrumentsFile, SparesTheWarningsOfStepAndMinimum) {
  const std::vector<Given> environment = given({{"TRADING_SYMBOLS", "BTCUSDT,1000PEPEUSDT"},
                                                {"TRADING_QUANTITY_STEPS", ""},
                                                {"TRADING_MIN_NOTIONALS", ""}});
  EXPECT_EQ(configured(environment).warnings.size(), 4U);
  const auto loaded = loaded_with(data_path("exchange_info_usdm.json"), environment);
  ASSERT_TRUE(loaded);
  EXPECT_THAT(loaded.value().warnings, IsEmpty());
  const auto all = loaded_with(data_path("exchange_info_usdm.json"),
                               given({{"TRADING_SYMBOLS", "*"}, {"TRADING_QUANTITY_STEPS", ""}}));
  ASSERT_TRUE(all);
  EXPECT_THAT(all.value().warnings, IsEmpty()) << "what the file does not list is not traded";
}

TEST(InstrumentsFile, IsAllThatIsTradedUnderAStar) {
  const auto loaded =
      loaded_with(data_path("exchange_info_usdm.json"), given({{"TRADING_SYMBOLS", "*"}}));
  ASSERT_TRUE(loaded);
  const auto parameters = engine_parameters(loaded.value().settings, Clock::replay);
  EXPECT_TRUE(parameters.of(*Symbol::from("BTCUSDT")).traded);
  EXPECT_FALSE(parameters.of(*Symbol::from("NOBODYUSDT")).traded);
  EXPECT_FALSE(parameters.of(*Symbol::from("SRMUSDT")).traded) << "SETTLING";
  EXPECT_TRUE(engine_parameters(load({}, {}).value().settings, Clock::replay).defaults.traded);
}

TEST(InstrumentsFile, WarnsOfListedSymbolsThatTheVenueDoesNotTradeSo) {
  const auto loaded = loaded_with(data_path("exchange_info_usdm.json"),
                                  given({{"TRADING_SYMBOLS", "BTCUSDT,SRMUSDT,XYZUSDT"},
                                         {"TRADING_ORDER_NOTIONAL__SRMUSDT", "50"}}));
  ASSERT_TRUE(loaded);
  EXPECT_THAT(loaded.value().warnings,
              ElementsAre("SRMUSDT: is not traded: in TRADING_INSTRUMENTS_FILE its status is "
                          "SETTLING.",
                          "XYZUSDT: is not traded: in TRADING_INSTRUMENTS_FILE its margin asset is "
                          "BTC.",
                          "TRADING_ORDER_NOTIONAL__SRMUSDT: SRMUSDT is not traded."));
}

TEST(InstrumentsFile, ThatLacksListedSymbolsIsRefusedWithTheirNames) {
  const std::string file = data_path("exchange_info_spot.json");
  EXPECT_THAT(problems_with(file), ElementsAre(StartsWith("TRADING_INSTRUMENTS_FILE=" + file +
                                                          ": does not have ETHUSDT"),
                                               HasSubstr("does not have BNBUSDT")));
}

TEST(InstrumentsFile, ThatCannotBeUsedIsRefusedWithItsName) {
  const test::ScratchFiles files;
  const std::string folder = files.path("");
  const struct {
    std::string file;
    const char* why;
  } rows[] = {
      {files.path("missing"), "cannot be read: No such file or directory"},
      {folder, "is not a file"},
      {"/dev/null", "is not a file"},
      {files.write("empty", ""), "is not JSON"},
      {files.write("html", "<html>"), "no JSON object"},
      {files.write("error", R"({"code":-1003,"msg":"Too many requests."})"), "lists no symbols"},
      {files.write("large", std::string(wire::kMaxInstrumentsBytes + 1, ' ')), "is larger than"},
      {files.write("fault",
                   R"({"symbols":[{"symbol":"BTCUSDT","status":"TRADING","quoteAsset":"USDT",)"
                   R"("filters":[{"filterType":"PRICE_FILTER","tickSize":"x"}]}]})"),
       "of BTCUSDT, PRICE_FILTER has a tickSize that is no number"},
  };
  for (const auto& row : rows) {
    EXPECT_THAT(problems_with(row.file, given({{"TRADING_SYMBOLS", "BTCUSDT"}})),
                ElementsAre(AllOf(StartsWith("TRADING_INSTRUMENTS_FILE=" + row.file + ": "),
                                  HasSubstr(row.why))));
  }
}

// For commands that decide nothing: what the file says is then not known, and nobody is advised.
TEST(InstrumentsFile, IsLeftUnreadWhereNothingIsDecided) {
  const auto unread =
      load(given({{"TRADING_INSTRUMENTS_FILE", "missing"}, {"TRADING_SYMBOLS", "ADAUSDT"}}), {});
  ASSERT_TRUE(unread) << testing::PrintToString(unread.error());
  EXPECT_THAT(unread.value().warnings, testing::IsEmpty());
}

TEST(InstrumentsFile, MayBeginWithAByteOrderMark) {
  const test::ScratchFiles files;
  const std::string text = test::read_file(data_path("exchange_info_usdm.json"));
  EXPECT_TRUE(loaded_with(files.write("marked", "\xEF\xBB\xBF" + text)));
}

// Replicas that read different answers decide differently; where the file is does not matter.
TEST(InstrumentsFile, IsPartOfTheFingerprintByWhatItSays) {
  const test::ScratchFiles files;
  std::string text = test::read_file(data_path("exchange_info_usdm.json"));
  const std::string path = files.write("file", text);
  const std::string before = fingerprint(loaded_with(path).value());
  text.replace(text.find("1721347200000"), 13, "1721347299999");  // serverTime
  files.write("file", text);
  EXPECT_EQ(fingerprint(loaded_with(path).value()), before);
  text.replace(text.find(R"("tickSize":"0.10")"), 17, R"("tickSize":"0.20")");
  files.write("file", text);
  EXPECT_NE(fingerprint(loaded_with(path).value()), before);
}

}  // namespace
}  // namespace rts::config
