#include "tidepool/base/secret.h"

#include <array>
#include <cstring>
#include <sstream>
#include <utility>

#include <gtest/gtest.h>

namespace tidepool {
namespace {

TEST(Secret, IsTheSameAsItsText) {
  const Secret secret = "a password";
  EXPECT_EQ(secret, "a password");
  EXPECT_NE(secret, "another one");
  EXPECT_EQ(std::string_view(secret).size(), 10U);
  EXPECT_TRUE(Secret().empty());
  EXPECT_EQ(Secret(std::string("a\0b", 3)).size(), 3U);
}

TEST(Secret, MovingLeavesNothingBehind) {
  Secret first = "short";
  const Secret second = std::move(first);
  EXPECT_EQ(second, "short");
  const void* left = &first;
  const std::string_view object(static_cast<const char*>(left), sizeof first);
  EXPECT_EQ(object.find("short"), std::string_view::npos);
}

// What has other bytes is given back, and so wiped.
TEST(Secret, NothingOfTheOldOneStaysBehindTheNewOne) {
  Secret secret = "a long password";
  const void* const old = secret.view().data();
  secret = Secret("short");
  EXPECT_EQ(secret, "short");
  EXPECT_NE(secret.view().data(), old);
  const Secret copied = "c";
  secret = copied;
  EXPECT_EQ(secret, copied);
  secret.clear();
  EXPECT_EQ(secret.view().data(), nullptr);
}

// The allocator gets the memory back wiped: seen with memory that outlives what it is lent to.
TEST(Secret, WhatIsGivenBackIsWiped) {
  std::array<char, 8> memory{};
  std::memcpy(memory.data(), "password", memory.size());
  wipe(memory.data(), memory.size());
  EXPECT_EQ(std::string(memory.data(), memory.size()), std::string(8, '\0'));

  std::string text = "a text that is longer than what fits into the object";
  text.resize(2);
  wipe(text);
  EXPECT_TRUE(text.empty());
  EXPECT_EQ(std::string(text.data(), 50), std::string(50, '\0'));
}

TEST(Secret, ATextIsWipedAtTheEndOfItsScope) {
  std::string text = "short";
  { const WipedAtEnd wiped(text); }
  EXPECT_TRUE(text.empty());
  EXPECT_EQ(std::string(text.data(), 5), std::string(5, '\0'));
}

TEST(Secret, IsNotShown) {
  std::ostringstream out;
  out << Secret("hunter2");
  EXPECT_EQ(out.str(), "(secret of 7 bytes)");
}

}  // namespace
}  // namespace tidepool
