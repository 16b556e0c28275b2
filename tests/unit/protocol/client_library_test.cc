#include "tidepool/protocol/client_library.h"

#include <gtest/gtest.h>

namespace tidepool::protocol {
namespace {

const Attributes kConnectorC = {{"_os", "Linux"}, {"_client_name", "libmariadb"}};

TEST(ClientLibraryTest, ConnectorCIsToldNoNumberThatItKeepsForItself) {
  for (std::uint32_t number = 0; number <= 0xffff; ++number) {
    const std::uint16_t told = number_for_client(static_cast<std::uint16_t>(number), kConnectorC);
    const bool is_lost = number == 2003 || number == 2013;
    EXPECT_EQ(told != number, is_lost) << number;
    if (is_lost) {
      EXPECT_TRUE(told < 2000 || (told >= 3000 && told < 5000)) << told;
    }
  }
}

TEST(ClientLibraryTest, OfManyAttributesOneIsKept) {
  Attributes many(10'000, {"a", "b"});
  EXPECT_TRUE(attributes_to_keep(many).empty());
  many.push_back(kConnectorC[1]);
  many.push_back(kConnectorC[1]);

  EXPECT_EQ(attributes_to_keep(many), Attributes{kConnectorC[1]});
  EXPECT_EQ(number_for_client(2013, attributes_to_keep(many)), 4031);
}

TEST(ClientLibraryTest, OthersAreToldTheUsualNumbers) {
  for (const Attributes& attributes : {Attributes{}, Attributes{{"_client_name", "pymysql"}},
                                       Attributes{{"program_name", "libmariadb"}}}) {
    EXPECT_EQ(number_for_client(2003, attributes), 2003);
    EXPECT_EQ(number_for_client(2013, attributes), 2013);
  }
}

}  // namespace
}  // namespace tidepool::protocol
