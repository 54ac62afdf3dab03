#include "nats/broker.hpp"

#include "nats/subjects.hpp"

namespace rts::nats {

ClientOptions broker_options(const config::Settings& settings) {
  ClientOptions options;
  options.urls = settings.nats_urls;
  options.credentials = {.user = {settings.nats_user, settings.nats_user_file},
                         .password = {settings.nats_password, settings.nats_password_file},
                         .token = {settings.nats_token, settings.nats_token_file},
                         .creds_file = settings.nats_creds_file,
                         .nkey_seed_file = settings.nats_nkey_seed_file,
                         .tls_ca_file = settings.nats_tls_ca_file,
                         .tls_cert_file = settings.nats_tls_cert_file,
                         .tls_key_file = settings.nats_tls_key_file};
  options.inbox_prefix = nats::inbox_prefix(settings.consumer_name);
  return options;
}

}  // namespace rts::nats
