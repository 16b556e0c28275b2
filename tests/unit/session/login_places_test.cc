#include "tidepool/session/login_places.h"

#include <memory>
#include <vector>

#include <gtest/gtest.h>

namespace tidepool::session {
namespace {

using Entry = LoginPlaces::Entry;

class LoginPlacesTest : public ::testing::Test {
 protected:
  LoginPlacesTest() { places_.set_limits({.clients = 2, .pending = 4, .pending_per_network = 2}); }

  // Null unless it has got in.
  std::unique_ptr<LoginPlace> enter(const std::string& network = "") {
    auto place = std::make_unique<LoginPlace>(places_, network, [this] { ++left_; });
    last_ = place->enter();
    if (last_ != Entry::kYes) place.reset();
    return place;
  }

  using Places = std::vector<std::unique_ptr<LoginPlace>>;
  Places enter_times(std::size_t count) {
    Places all(count);
    for (auto& place : all)
      place = enter();
    return all;
  }

  LoginStats stats_;
  LoginPlaces places_{stats_};
  Entry last_ = Entry::kYes;
  int left_ = 0;
};

TEST_F(LoginPlacesTest, APlaceIsThereAgainWhenItsClientHasGoneOrLoggedIn) {
  Places all = enter_times(4);
  EXPECT_EQ(enter(), nullptr);
  EXPECT_EQ(last_, Entry::kFull);
  EXPECT_EQ(stats_.pending.value(), 4);
  EXPECT_EQ(left_, 0);

  all.pop_back();
  EXPECT_TRUE(all[0]->admit());

  EXPECT_EQ(left_, 2);
  EXPECT_EQ(stats_.pending.value(), 2);
}

TEST_F(LoginPlacesTest, WhoIsInStaysInWhenItsUserChanges) {
  const auto place = enter();
  EXPECT_TRUE(place->admit());
  EXPECT_FALSE(place->is_pending());
  EXPECT_TRUE(place->admit());
  EXPECT_EQ(left_, 1);
}

TEST_F(LoginPlacesTest, OnlyWhoHasLoggedInCountsAsAClient) {
  Places all = enter_times(3);
  EXPECT_TRUE(all[0]->admit());
  EXPECT_TRUE(all[1]->admit());
  EXPECT_FALSE(all[2]->admit());
  EXPECT_EQ(enter(), nullptr);
  EXPECT_EQ(last_, Entry::kClientsFull);
  all.erase(all.begin());
  EXPECT_TRUE(all[1]->admit());
}

TEST_F(LoginPlacesTest, OneNetworkDoesNotTakeAll) {
  const auto one = enter("192.0.2.1");
  const auto two = enter("192.0.2.1");
  EXPECT_EQ(enter("192.0.2.1"), nullptr);
  EXPECT_EQ(last_, Entry::kNetworkFull);
  auto other = enter("192.0.2.2");
  EXPECT_NE(other, nullptr);
  EXPECT_TRUE(one->admit());
  other.reset();
  EXPECT_NE(enter("192.0.2.1"), nullptr) << "who is in no longer counts";
}

TEST_F(LoginPlacesTest, ThoseOfThisMachineAreNotCountedByAddress) {
  const Places all = enter_times(4);
  EXPECT_EQ(last_, Entry::kYes);
}

TEST_F(LoginPlacesTest, AreCrowdedWhenHalfIsTaken) {
  const auto one = enter();
  EXPECT_FALSE(places_.is_crowded());
  const auto two = enter();
  EXPECT_TRUE(places_.is_crowded());
}

TEST_F(LoginPlacesTest, OneKeepsNoMoreThan80KiB) {
  const auto place = enter();
  EXPECT_TRUE(place->hold(LoginPlaces::kMaxBytesOfOne));
  EXPECT_FALSE(place->hold(LoginPlaces::kMaxBytesOfOne + 1));
  EXPECT_TRUE(place->admit());
  EXPECT_TRUE(place->hold(LoginPlaces::kMaxBytes)) << "who has logged in is not counted here";
}

TEST_F(LoginPlacesTest, AllTogetherKeepNoMoreThan8MiB) {
  places_.set_limits({.clients = 1000, .pending = 1000, .pending_per_network = 1});
  std::vector<std::unique_ptr<LoginPlace>> all;
  std::size_t held = 0;
  for (;; held += LoginPlaces::kMaxBytesOfOne) {
    all.push_back(enter());
    if (!all.back()->hold(LoginPlaces::kMaxBytesOfOne)) break;
    ASSERT_LE(held, LoginPlaces::kMaxBytes);
  }
  EXPECT_GT(held + LoginPlaces::kMaxBytesOfOne, LoginPlaces::kMaxBytes - 1);
  EXPECT_TRUE(all.back()->hold(LoginPlaces::kFreeBytes)) << "as much as a usual login";
  all.front()->admit();
  EXPECT_TRUE(all.back()->hold(LoginPlaces::kMaxBytesOfOne));
}

TEST_F(LoginPlacesTest, AClientMayTurnOutToBeAtAnotherAddress) {
  const auto nowhere = enter();
  const auto one = enter("192.0.2.1");
  const auto two = enter("192.0.2.1");

  EXPECT_EQ(nowhere->move_to("192.0.2.1"), Entry::kNetworkFull);
  EXPECT_EQ(two->move_to("192.0.2.2"), Entry::kYes);
  EXPECT_EQ(nowhere->move_to("192.0.2.1"), Entry::kYes);
  EXPECT_EQ(nowhere->move_to("192.0.2.1"), Entry::kYes) << "where it is already";

  EXPECT_EQ(enter("192.0.2.1"), nullptr);
  EXPECT_NE(enter("192.0.2.2"), nullptr);
  EXPECT_EQ(stats_.pending.value(), 3);
}

}  // namespace
}  // namespace tidepool::session
