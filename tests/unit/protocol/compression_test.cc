#include "tidepool/protocol/compression.h"

#include <vector>

#include <gtest/gtest.h>

#include "bytes.h"
#include "tidepool/protocol/capabilities.h"

namespace tidepool::protocol {
namespace {

constexpr CompressionAlgorithm kBoth[] = {CompressionAlgorithm::kZlib, CompressionAlgorithm::kZstd};

std::string packed(CompressionAlgorithm algorithm, std::string_view plain,
                   std::uint8_t sequence = 0) {
  std::string out;
  Compressor compressor(algorithm);
  EXPECT_TRUE(compressor.append(out, sequence, plain));
  return out;
}

// All plain bytes, or nullopt after an error.
std::optional<std::string> unpacked(CompressionAlgorithm algorithm, std::string_view bytes,
                                    std::size_t piece) {
  Decompressor decompressor(algorithm);
  std::string plain;
  while (!bytes.empty()) {
    std::string_view chunk = bytes.substr(0, piece);
    bytes.remove_prefix(chunk.size());
    while (true) {
      const auto part = decompressor.next(chunk);
      if (!part) return std::nullopt;
      if (!*part) break;
      plain += **part;
    }
  }
  return plain;
}

TEST(Compression, IsNegotiatedWithZlibFirst) {
  const std::uint32_t both = capability::kCompress | capability::kZstd;
  EXPECT_EQ(negotiated_compression(both, both), CompressionAlgorithm::kZlib);
  EXPECT_EQ(negotiated_compression(both, capability::kZstd), CompressionAlgorithm::kZstd);
  EXPECT_EQ(negotiated_compression(0, both), std::nullopt);
  EXPECT_EQ(negotiated_compression(both, 0), std::nullopt);
}

TEST(Compressor, StoresWhatIsShort) {
  EXPECT_EQ(packed(CompressionAlgorithm::kZlib, "abc", 3), hex("030000 03 000000") + "abc");
  EXPECT_EQ(packed(CompressionAlgorithm::kZlib, ""), "");
}

TEST(Compressor, PacksWhatIsLong) {
  for (const auto algorithm : kBoth) {
    const std::string bytes = packed(algorithm, std::string(1000, 'x'));
    EXPECT_LT(bytes.size(), 100U);
    EXPECT_EQ(bytes.substr(4, 3), hex("e80300"));
  }
}

TEST(Decompressor, GivesBackWhatWasPackedHoweverItArrives) {
  std::string noise;
  for (unsigned i = 0, x = 1; i < 3000; ++i, x = x * 1664525 + 1013904223) {
    noise.push_back(static_cast<char>(x >> 24U));
  }
  for (const auto algorithm : kBoth) {
    std::string bytes;
    std::string plain;
    std::uint8_t sequence = 0;
    Compressor compressor(algorithm);
    for (const std::string& part : {std::string("short"), std::string(5000, 'x'), noise}) {
      ASSERT_TRUE(compressor.append(bytes, sequence, part));
      plain += part;
    }
    EXPECT_EQ(sequence, 3);
    for (const std::size_t piece :
         {std::size_t{1}, std::size_t{7}, std::size_t{100}, bytes.size()}) {
      EXPECT_TRUE(unpacked(algorithm, bytes, piece) == plain) << piece;
    }
  }
}

TEST(Decompressor, GivesBackMoreThan16MiB) {
  const std::string plain(kMaxPayloadBytes + 100000, 'y');
  for (const auto algorithm : kBoth) {
    const std::string bytes = packed(algorithm, plain);
    EXPECT_TRUE(unpacked(algorithm, bytes, 4096) == plain);
  }
}

TEST(Decompressor, RefusesMoreOrFewerBytesThanTheHeaderSays) {
  for (const auto algorithm : kBoth) {
    for (const int change : {-1, 1, 100}) {
      std::string bytes = packed(algorithm, std::string(1000, 'x'));
      bytes[4] = static_cast<char>(bytes[4] + change);
      EXPECT_FALSE(unpacked(algorithm, bytes, bytes.size())) << change;
    }
  }
}

TEST(Decompressor, RefusesGarbage) {
  for (const auto algorithm : kBoth) {
    EXPECT_FALSE(unpacked(algorithm, hex("040000 00 ffffff") + "abcd", 100));
    EXPECT_FALSE(unpacked(algorithm, hex("000000 00 0a0000"), 100));
    const std::string whole = packed(algorithm, std::string(1000, 'x'));
    std::string cut = whole.substr(0, whole.size() - 1);
    cut[0] = static_cast<char>(cut[0] - 1);
    EXPECT_FALSE(unpacked(algorithm, cut, 100));
    std::string longer = whole + "z";
    longer[0] = static_cast<char>(longer[0] + 1);
    EXPECT_FALSE(unpacked(algorithm, longer, 100));
  }
}

TEST(Decompressor, RefusesASequenceNumberThatIsNotTheNext) {
  for (const std::size_t piece : {std::size_t{1}, std::size_t{100}}) {
    const std::string bytes = packed(CompressionAlgorithm::kZlib, "abc", 1);
    EXPECT_FALSE(unpacked(CompressionAlgorithm::kZlib, bytes, piece));
  }
  Decompressor decompressor(CompressionAlgorithm::kZlib);
  decompressor.expect_sequence(1);
  const std::string bytes = packed(CompressionAlgorithm::kZlib, "abc", 1);
  std::string_view chunk = bytes;
  EXPECT_EQ(**decompressor.next(chunk), "abc");
  EXPECT_EQ(decompressor.next_sequence(), 2);
}

TEST(Decompressor, StaysFailed) {
  for (const auto algorithm : kBoth) {
    Decompressor decompressor(algorithm);
    const std::string garbage = hex("040000 00 ffffff") + "abcd";
    std::string_view chunk = garbage;
    EXPECT_FALSE(decompressor.next(chunk));
    const std::string good = packed(algorithm, "abc", 1);
    chunk = good;
    const auto again = decompressor.next(chunk);
    ASSERT_FALSE(again);
    EXPECT_EQ(again.error().mysql_errno, 1157);
  }
}

TEST(Compressor, GoesOnWhereItIsMovedTo) {
  for (const auto algorithm : kBoth) {
    const std::string plain(1000, 'x');
    Compressor first(algorithm);
    std::string bytes;
    std::uint8_t sequence = 0;
    ASSERT_TRUE(first.append(bytes, sequence, plain));
    Compressor second(std::move(first));
    ASSERT_TRUE(second.append(bytes, sequence, plain));
    Compressor third(CompressionAlgorithm::kZlib);
    third = std::move(second);
    ASSERT_TRUE(third.append(bytes, sequence, plain));
    EXPECT_TRUE(unpacked(algorithm, bytes, 100) == plain + plain + plain);
  }
}

}  // namespace
}  // namespace tidepool::protocol
