#include "tidepool/sql/state/state_encoding.h"

#include "tidepool/base/encoding.h"

namespace tidepool::sql {

std::string encode_system_state(const SessionState& state) {
  constexpr std::size_t kUsualBytes = 64;
  Encoding out;
  out.reserve(kUsualBytes);
  out.text(state.database());
  const CharsetState& charset = state.charset();
  out.number(charset.client).number(charset.results).number(charset.connection);
  out.number(state.multi_statements() ? 1 : 0);
  out.text(state.role().names).number(state.role().is_computed ? 1 : 0);
  out.text(state.resource_group());
  out.number(state.items().size());
  for (const SessionState::Item& item : state.items())
    out.number(item.variable).text(item.value);
  const std::vector<VariableId> computed = state.computed();
  out.number(computed.size());
  for (const VariableId id : computed)
    out.number(id);
  return out.take();
}

}  // namespace tidepool::sql
