// The status page, page.html as it is: all it shows it asks the service for.
#pragma once

#include <string_view>

namespace rts::service {

extern const std::string_view kStatusPage;

}  // namespace rts::service
