// The manual page, realtime-strategies(1).
#include <rts/base/text.hpp>
#include <rts/base/utf8.hpp>
#include <rts/base/version.hpp>

#include "commands/help.hpp"
#include "commands/output.hpp"

namespace rts::commands {
namespace {

// Text that man(7) shows as it is, whatever its fonts and its encoding.
std::string roff(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const Character c = take_character(text);
    if (c.bytes == "\\") {
      out += "\\e";
    } else if (c.bytes == "-") {
      out += "\\-";
    } else if (c.bytes == "\n") {
      out += ' ';
    } else if (c.code < 0x80) {
      out += c.bytes;
    } else {
      out += fmt::format("\\[u{:04X}]", static_cast<std::uint32_t>(c.code));
    }
  }
  // At the begin of a line these would be requests.
  return out.starts_with('.') || out.starts_with('\'') ? "\\&" + out : out;
}

std::string paragraph(std::string_view text) { return roff(text) + "\n"; }

// A term in bold, and what it means.
std::string item(std::string_view term, std::string_view text) {
  return fmt::format(".TP\n\\fB{}\\fR\n{}\n", roff(term), roff(text));
}

std::string commands_section() {
  std::string out = ".SH COMMANDS\n";
  for (const Command* const command : kCommands) {
    out += fmt::format(".SS {}\n", roff(usage(*command)));
    out += paragraph(std::string(command->summary) + ".");
    for (const Option& option : command->options) {
      out += item(fmt::format("{} {}", option.name, option.value), option.help);
    }
    out += fmt::format(".PP\nExample:\n.PP\n.RS 4\n.nf\n{}\n.fi\n.RE\n", roff(command->example));
  }
  out += ".SS Every command\n";
  out += item("--help", "its options and an example");
  return out + item(fmt::format("{} {}", kColorOption.name, kColorOption.value),
                    fmt::format("{}; NO_COLOR counts, too", kColorOption.help));
}

std::string settings_section() {
  std::string out = ".SH ENVIRONMENT\n" +
                    paragraph(
                        "Each setting is an environment variable and, unless it is a secret, "
                        "an option, which beats it: DRY_RUN_MODE=true is --dry-run-mode true. "
                        "NAME__SYMBOL, or --name--symbol, is the same for one symbol.");
  std::optional<config::Group> group;
  for (const config::Setting& setting : config::table()) {
    if (group != setting.group) out += fmt::format(".SS {}\n", roff(title(setting.group)));
    group = setting.group;
    const std::string fallback = setting.default_text();
    out += item(
        setting.name,
        fmt::format("{} Accepted: {}. Default: {}.{}{}{}", setting.help, accepted_values(setting),
                    fallback.empty() ? "empty" : fallback, setting.is_secret() ? " Secret." : "",
                    setting.live ? " Live." : "", setting.per_symbol ? " Per symbol." : ""));
  }
  return out;
}

}  // namespace

std::string manual_page() {
  std::string out = fmt::format(
      ".\\\" Generated from the tables of commands and settings.\n"
      ".TH REALTIME\\-STRATEGIES 1 \"\" \"realtime\\-strategies {}\" \"User Commands\"\n"
      ".SH NAME\nrealtime\\-strategies \\- market data on NATS to orders on NATS\n"
      ".SH SYNOPSIS\n\\fBrealtime\\-strategies\\fR \\fICOMMAND\\fR [\\fIOPTIONS\\fR]\n"
      ".SH DESCRIPTION\n",
      roff(rts::kVersion));
  out += paragraph(
      "One process that reads Binance market data from NATS, runs three strategies over it and "
      "publishes orders to NATS, which are executed with real money. Nothing is started without a "
      "command; run is the one that trades.");
  out += commands_section() + settings_section();
  out += ".SH EXIT STATUS\n" + paragraph(std::string(kExitCodes) + ".");
  out += ".SH FILES\n";
  out += item("/etc/realtime-strategies/environment", "settings of the systemd service");
  return out;
}

}  // namespace rts::commands
