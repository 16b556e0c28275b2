#include "tidepool/session/registry.h"

#include <gtest/gtest.h>

namespace tidepool::session {
namespace {

AdmissionRequest member(const std::string& user, unsigned limit, const std::string& database = {},
                        unsigned database_limit = 0) {
  return {
      .user = user, .max_of_user = limit, .database = database, .max_of_database = database_limit};
}

TEST(Registry, AdmitsAsManySessionsOfAUserAsAllowed) {
  Registry registry;
  EXPECT_EQ(registry.add(1, 0, member("app", 2)), Admission::kYes);
  EXPECT_EQ(registry.add(2, 0, member("app", 2)), Admission::kYes);

  EXPECT_EQ(registry.add(3, 0, member("app", 2)), Admission::kUserFull);
  EXPECT_EQ(registry.add(4, 0, member("other", 2)), Admission::kYes);
  registry.remove(1);
  EXPECT_EQ(registry.add(3, 0, member("app", 2)), Admission::kYes);
  EXPECT_EQ(registry.user_of(3), "app");
}

TEST(Registry, AdmitsAsManySessionsOfADatabaseAsAllowed) {
  Registry registry;
  EXPECT_EQ(registry.add(1, 0, member("a", 0, "pool/d", 1)), Admission::kYes);

  EXPECT_EQ(registry.add(2, 0, member("b", 0, "pool/d", 1)), Admission::kDatabaseFull);
  EXPECT_EQ(registry.add(2, 0, member("b", 0, "pool/e", 1)), Admission::kYes);
  EXPECT_EQ(registry.add(3, 0, member("b", 0)), Admission::kYes);
}

TEST(Registry, CountsASessionOnceWhoseverItBecomes) {
  Registry registry;
  EXPECT_EQ(registry.add(1, 0, member("app", 1)), Admission::kYes);
  EXPECT_EQ(registry.add(1, 0, member("app", 1)), Admission::kYes) << "it is its own place";

  EXPECT_EQ(registry.add(1, 0, member("other", 1)), Admission::kYes);

  EXPECT_EQ(registry.add(2, 0, member("app", 1)), Admission::kYes);
  EXPECT_EQ(registry.add(2, 0, member("other", 1)), Admission::kUserFull);
  EXPECT_EQ(registry.user_of(2), "app") << "nothing has changed";
}

}  // namespace
}  // namespace tidepool::session
