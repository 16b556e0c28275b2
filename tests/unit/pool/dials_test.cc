#include "tidepool/pool/dials.h"

#include <variant>
#include <vector>

#include <gtest/gtest.h>

namespace tidepool::pool {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using Purpose = Dial::Purpose;

const Error kRefused{Code::kRefused, "Connection refused"};

class DialsTest : public ::testing::Test {
 protected:
  static Limits two_endpoints() {
    Limits limits;
    limits.endpoints = 2;
    limits.max_dials = 2;
    return limits;
  }
  DialOrder begin(const Dial& dial) {
    orders_.clear();
    dials_.begin(dial, now_, orders_);
    EXPECT_EQ(orders_.size(), 1U);
    EXPECT_EQ(orders_.at(0).worker, dial.worker);
    return std::get<DialOrder>(orders_.at(0).what);
  }

  Limits limits_ = two_endpoints();
  Dials dials_{limits_, 1};
  Orders orders_;
  TimePoint now_{seconds{100}};
};

TEST_F(DialsTest, ADialIsCountedUntilItEndsAndTellsWhatItWasFor) {
  const DialOrder order = begin({.worker = 3, .profile = 7, .replaces = 5});
  EXPECT_EQ(order.profile, 7U);
  EXPECT_EQ(order.endpoint, 0U) << "the first endpoint that is not known to fail";
  EXPECT_EQ(dials_.count(), 1U);
  EXPECT_EQ(dials_.count(7), 1U);
  EXPECT_EQ(dials_.count(8), 0U);

  const Dial made = dials_.succeed(order.dial);

  EXPECT_EQ(made.replaces, 5U);
  EXPECT_EQ(made.begun, now_);
  EXPECT_EQ(dials_.count(), 0U);
}

TEST_F(DialsTest, NoMoreBeginThanMayBeUnderWayAtOnce) {
  EXPECT_TRUE(dials_.may_begin_besides(1, now_));
  EXPECT_FALSE(dials_.may_begin_besides(2, now_));
  begin({.profile = 1});
  EXPECT_TRUE(dials_.may_begin(now_));
  EXPECT_FALSE(dials_.may_begin_besides(1, now_));
  begin({.profile = 1});
  EXPECT_FALSE(dials_.may_begin(now_));
}

TEST_F(DialsTest, AProbeGoesWhereItIsToldAndAllOthersWhereTheGateSays) {
  const DialOrder first = begin({.profile = 1, .purpose = Purpose::kWaiter});
  dials_.fail(first.dial, kRefused, now_);
  EXPECT_EQ(begin({.profile = 1, .purpose = Purpose::kWaiter}).endpoint, 1U);
  EXPECT_FALSE(dials_.is_probing());
  now_ += seconds{1};
  EXPECT_EQ(begin({.profile = 1, .purpose = Purpose::kProbe, .endpoint = 0}).endpoint, 0U);
  EXPECT_TRUE(dials_.is_probing());
}

TEST_F(DialsTest, AfterARefusalDialsThatNobodyWaitsForPauseForLonger) {
  const Error denied{Code::kAuth, "Access denied", 1045, "28000"};
  dials_.fail(begin({.profile = 1}).dial, denied, now_);
  EXPECT_FALSE(dials_.may_begin_unasked(now_ + seconds{5})) << "a minute at least";
  EXPECT_TRUE(dials_.may_begin(now_ + seconds{5}));
  dials_.forget_refusals();
  EXPECT_TRUE(dials_.may_begin_unasked(now_));
}

TEST_F(DialsTest, WhatAnOutdatedDialHearsOfTheOldAccountDoesNotCount) {
  const Error denied{Code::kAuth, "Access denied", 1045, "28000"};
  const DialOrder order = begin({.profile = 1, .purpose = Purpose::kWaiter});
  dials_.outdate();
  EXPECT_TRUE(dials_.fail(order.dial, denied, now_).is_outdated);
  EXPECT_TRUE(dials_.may_begin(now_));
  EXPECT_FALSE(dials_.gate().last_error());
}

}  // namespace
}  // namespace tidepool::pool
