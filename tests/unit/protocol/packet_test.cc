#include "tidepool/protocol/packet.h"

#include <tuple>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "bytes.h"

namespace tidepool::protocol {
namespace {

struct Seen {
  std::string payload;
  std::string frame;
  int next_sequence = 0;

  bool operator==(const Seen&) const = default;
};

// Feeds `bytes` in pieces of `piece` bytes; stops at an error.
std::vector<Seen> assemble(PacketAssembler& assembler, std::string_view bytes, std::size_t piece) {
  std::vector<Seen> packets;
  while (!bytes.empty()) {
    std::string_view chunk = bytes.substr(0, piece);
    bytes.remove_prefix(chunk.size());
    while (true) {
      auto packet = assembler.next(chunk);
      if (!packet) return packets;
      if (!packet->has_value()) break;
      packets.push_back({std::string((*packet)->payload), std::string((*packet)->frame),
                         (*packet)->next_sequence});
    }
  }
  return packets;
}

TEST(AppendPacket, FramesAPayload) {
  std::string out;
  std::uint8_t sequence = 7;
  append_packet(out, sequence, "abc");
  append_packet(out, sequence, "");
  EXPECT_EQ(out, hex("030000 07 616263 000000 08"));
  EXPECT_EQ(sequence, 9);
}

TEST(AppendPacket, SplitsAt16MiBAndClosesAFullLastPacketWithAnEmptyOne) {
  for (const std::size_t more : {std::size_t{0}, std::size_t{5}}) {
    std::string out;
    std::uint8_t sequence = 255;
    append_packet(out, sequence, std::string(kMaxPayloadBytes + more, 'x'));
    EXPECT_EQ(out.size(), kMaxPayloadBytes + more + 2 * kHeaderBytes);
    EXPECT_EQ(out.substr(0, 4), hex("ffffff ff"));
    EXPECT_EQ(static_cast<std::size_t>(out[4 + kMaxPayloadBytes]), more);
    EXPECT_EQ(out[4 + kMaxPayloadBytes + 3], 0);
    EXPECT_EQ(sequence, 1);
  }
}

TEST(PacketAssembler, GivesTheSamePacketsHoweverTheBytesArrive) {
  const std::string stream = framed(0, "\x03SELECT 1") + framed(0, "") + framed(0, "\x0e");
  const std::vector<Seen> expected = {{"\x03SELECT 1", framed(0, "\x03SELECT 1"), 1},
                                      {"", framed(0, ""), 1},
                                      {"\x0e", framed(0, "\x0e"), 1}};
  for (std::size_t piece = 1; piece <= stream.size(); ++piece) {
    PacketAssembler assembler;
    EXPECT_EQ(assemble(assembler, stream, piece), expected) << piece;
    EXPECT_FALSE(assembler.is_inside_packet() && piece == stream.size());
  }
}

TEST(PacketAssembler, DoesNotCopyAPacketThatIsWholeInTheChunk) {
  const std::string stream = framed(0, "one") + framed(0, "two");
  std::string_view chunk = stream;
  PacketAssembler assembler;
  const auto first = assembler.next(chunk);
  ASSERT_TRUE(first && *first);
  EXPECT_EQ((*first)->payload.data(), stream.data() + kHeaderBytes);
  EXPECT_EQ(chunk.data(), stream.data() + 7);
  EXPECT_EQ(assembler.buffered_bytes(), 0U);
}

TEST(PacketAssembler, GivesThePayloadThatItHasGathered) {
  for (const std::size_t size : {std::size_t{1000}, kMaxPayloadBytes, kMaxPayloadBytes + 9}) {
    const std::string payload(size, 'x');
    const std::string stream = framed(0, payload);
    std::string_view first = std::string_view(stream).substr(0, 500);
    std::string_view second = std::string_view(stream).substr(500);
    PacketAssembler assembler;
    ASSERT_TRUE(assembler.next(first));
    EXPECT_EQ(assembler.half_received_bytes(), 500U);
    ASSERT_TRUE(assembler.next(second).value().has_value());
    EXPECT_EQ(assembler.half_received_bytes(), 0U);
    EXPECT_TRUE(assembler.take_delivered() == payload);
    EXPECT_EQ(assembler.buffered_bytes(), 0U);
    EXPECT_EQ(assembler.take_delivered(), "");
  }
}

TEST(PacketAssembler, NumbersTheRefusalOfWhatIsHalfReceived) {
  const std::string stream = framed(0, std::string(kMaxPayloadBytes + 9, 'x'));
  for (const auto& [bytes, number] : {std::pair<std::size_t, int>{0, 1},
                                      {2, 1},
                                      {100, 1},
                                      {kMaxPayloadBytes + 4, 1},
                                      {kMaxPayloadBytes + 10, 2}}) {
    std::string_view part = std::string_view(stream).substr(0, bytes);
    PacketAssembler assembler;
    ASSERT_TRUE(assembler.next(part));
    EXPECT_EQ(assembler.refusal_sequence(), number) << bytes;
  }
}

TEST(AppendPacket, MakesRoomOnce) {
  std::string bytes;
  std::uint8_t sequence = 0;
  append_packet(bytes, sequence, std::string(2 * kMaxPayloadBytes + 9, 'x'));
  EXPECT_LT(bytes.capacity(), bytes.size() + 64);
}

TEST(PacketAssembler, HoldsNoMemoryBetweenPackets) {
  const std::string stream = framed(0, std::string(1000, 'x'));
  std::string_view first = std::string_view(stream).substr(0, 500);
  std::string_view second = std::string_view(stream).substr(500);
  PacketAssembler assembler;
  ASSERT_TRUE(assembler.next(first));
  EXPECT_TRUE(assembler.is_inside_packet());
  EXPECT_GE(assembler.buffered_bytes(), 500U);
  ASSERT_TRUE(assembler.next(second).value().has_value());
  ASSERT_FALSE(assembler.next(second).value().has_value());
  EXPECT_FALSE(assembler.is_inside_packet());
  EXPECT_EQ(assembler.buffered_bytes(), 0U);
}

TEST(PacketAssembler, JoinsPacketsOf16MiBAndMore) {
  for (const std::size_t size : {kMaxPayloadBytes - 1, kMaxPayloadBytes, kMaxPayloadBytes + 9}) {
    const std::string payload = "\x03" + std::string(size - 1, 'q');
    const std::string stream = framed(0, payload) + framed(0, "\x0e");
    for (const std::size_t piece : {stream.size(), std::size_t{1} << 20U}) {
      PacketAssembler assembler;
      const auto packets = assemble(assembler, stream, piece);
      ASSERT_EQ(packets.size(), 2U);
      EXPECT_TRUE(packets[0].payload == payload);
      EXPECT_TRUE(stream.starts_with(packets[0].frame));
      EXPECT_EQ(packets[0].frame.empty(), size >= kMaxPayloadBytes) << "joined without its headers";
      EXPECT_EQ(packets[0].next_sequence, static_cast<int>(size / kMaxPayloadBytes + 1));
      EXPECT_EQ(packets[1].payload, "\x0e");
    }
  }
}

TEST(PacketAssembler, RefusesASequenceNumberThatIsNotTheNext) {
  for (const std::size_t piece : {std::size_t{1}, std::size_t{100}}) {
    PacketAssembler assembler;
    assembler.expect_sequence(3);
    EXPECT_EQ(assemble(assembler, framed(3, "ok") + framed(4, "bad"), piece).size(), 1U);
    std::string_view chunk = "x";
    EXPECT_FALSE(assembler.next(chunk));
  }
  PacketAssembler assembler;
  const std::string bytes = framed(9, "bad");
  std::string_view chunk = bytes;
  const auto packet = assembler.next(chunk);
  ASSERT_FALSE(packet);
  EXPECT_EQ(packet.error().mysql_errno, 1156);
}

TEST(PacketAssembler, KeepsAnExpectationSetAfterAGatheredPacket) {
  const std::string stream = framed(0, "first");
  PacketAssembler assembler;
  EXPECT_EQ(assemble(assembler, stream.substr(0, 5), 5).size(), 0U);
  std::string_view rest = std::string_view(stream).substr(5);
  ASSERT_TRUE(assembler.next(rest).value());
  assembler.expect_sequence(2);
  EXPECT_EQ(assemble(assembler, framed(2, "second"), 1).size(), 1U);
}

TEST(PacketAssembler, RefusesAPacketAboveTheMaximumByItsHeader) {
  PacketAssembler assembler(10);
  const std::string fits = framed(0, "0123456789");
  EXPECT_EQ(assemble(assembler, fits, 3).size(), 1U);
  std::string_view chunk = fits;
  assembler.set_max_bytes(9);
  const auto packet = assembler.next(chunk);
  ASSERT_FALSE(packet);
  EXPECT_EQ(packet.error().mysql_errno, 1153);
}

TEST(PacketAssembler, CountsAllFramesAgainstTheMaximum) {
  PacketAssembler assembler(kMaxPayloadBytes + 4);
  const std::string stream = framed(0, std::string(kMaxPayloadBytes + 5, 'x'));
  EXPECT_TRUE(assemble(assembler, stream, stream.size()).empty());
  EXPECT_EQ(assembler.refusal_sequence(), 2);
  std::string_view chunk = "x";
  EXPECT_FALSE(assembler.next(chunk));
}

TEST(PacketAssembler, TakesAnySequenceWhenToldTo) {
  PacketAssembler assembler;
  assembler.ignore_sequence();
  EXPECT_EQ(assemble(assembler, framed(9, "a") + framed(4, "b"), 2).size(), 2U);
}

TEST(PacketAssembler, IsOutsideAPacketOnceItWasDelivered) {
  PacketAssembler assembler;
  std::string bytes;
  std::uint8_t sequence = 0;
  append_packet(bytes, sequence, "abc");
  std::string_view first = std::string_view(bytes).substr(0, 5);
  EXPECT_FALSE(assembler.next(first)->has_value());
  EXPECT_TRUE(assembler.is_inside_packet());

  std::string_view rest = std::string_view(bytes).substr(5);
  EXPECT_TRUE(assembler.next(rest)->has_value());

  EXPECT_FALSE(assembler.is_inside_packet());
}

}  // namespace
}  // namespace tidepool::protocol
