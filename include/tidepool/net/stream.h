// Stream: one nonblocking stream socket on a loop, with or without TLS, and what could not be
// written yet.
//
// Used for clients, whose socket and TLS session it owns, and for backends, whose both belong to
// Connector/C and are borrowed. It never reads by itself: it says that there is something
// (StreamSink::on_readable), and the owner reads into a buffer of its own, usually the loop's
// scratch. An idle stream holds no buffer. All on the loop's thread; no method calls the sink
// inline. Sink callbacks may destroy the stream.
//
// Reading goes on while the set of pause reasons is empty. A pause costs no system call unless
// bytes arrive meanwhile.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "tidepool/base/clock.h"
#include "tidepool/base/error.h"
#include "tidepool/net/fd.h"
#include "tidepool/net/loop.h"
#include "tidepool/net/socket.h"
#include "tidepool/net/tls_session.h"
#include "tidepool/net/write_queue.h"

struct ssl_st;

namespace tidepool::net {

class TlsContext;

// Who listens to a stream. The stream does not own it; Stream::set_sink changes it.
class StreamSink {
 public:
  StreamSink() = default;
  StreamSink(const StreamSink&) = delete;
  StreamSink& operator=(const StreamSink&) = delete;
  virtual ~StreamSink() = default;

  // Bytes, the end or an error wait to be read. Comes again every turn until read() has said
  // kWouldBlock or the reading is paused, so a callback may read as much or as little as it likes.
  virtual void on_readable() = 0;
  // What was queued has shrunk to the low watermark or below, after having been above it.
  virtual void on_drained() {}
  // The handshake begun with start_tls() is through; from here read() and write() are encrypted.
  virtual void on_tls_established() {}
  // Writing what was queued, or the TLS handshake, failed. Comes at most once. After a write what
  // the peer had sent can still be read, see write().
  virtual void on_error(Error error) = 0;
};

enum class PauseReason : std::uint8_t {
  kPeerFull = 1,  // the other side cannot take more: back-pressure
  kBusy = 2,      // a command is under way
  kOverload = 4,  // a limit of the whole process is reached
  kClosing = 8,   // only what is queued is still of interest
};

struct ReadResult {
  enum class Status : std::uint8_t { kData, kWouldBlock, kEnd };
  Status status = Status::kWouldBlock;
  std::size_t bytes = 0;  // above 0 exactly with kData
};

// What a socket can be waited for, as bits.
enum class Readiness : std::uint8_t { kNone = 0, kReadable = 1, kWritable = 2, kBoth = 3 };

class Stream {
 public:
  // Owns `fd`. `sink` may be null until set_sink(); nothing is read before.
  static std::unique_ptr<Stream> own(Loop& loop, UniqueFd fd, StreamSink* sink);
  // Uses a descriptor and TLS session (null: plaintext) of an owner that keeps both open longer
  // than this stream. Destroying the stream takes them off the loop at once, and another one may be
  // made of them on another loop and thread, without losing what OpenSSL has buffered. What is
  // queued for writing then is lost: see queued_bytes().
  static std::unique_ptr<Stream> borrow(Loop& loop, int fd, ssl_st* tls, StreamSink* sink);

  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;
  ~Stream();

  // Switches who listens; costs no system call. With null, events wait until a sink listens
  // again.
  void set_sink(StreamSink* sink);
  StreamSink* sink() const { return sink_; }

  // Reads what is there, up to the buffer's size: as many TLS records as are buffered, but one read
  // system call. An error means that the stream is of no further use. kEnd: the peer has closed its
  // side.
  Result<ReadResult> read(std::span<char> buffer);
  // Whether OpenSSL holds bytes that another read() would return or try to complete. After
  // kWouldBlock: false. A caller that stops while this is true is called again by on_readable()
  // next turn, or on resume().
  bool has_buffered() const;

  // Writes at once what the socket takes and queues a copy of the rest. Bytes go out in order.
  // After an error nothing more is written, and what was queued is forgotten; what the peer sent
  // before it went is still to be read, up to its end or error. During a TLS handshake everything
  // is queued.
  Result<void> write(std::string_view bytes);
  // The same of many bytes, which are queued without a copy if nothing else is.
  Result<void> write_large(std::string bytes);
  std::size_t queued_bytes() const { return queue_.size(); }
  void set_low_watermark(std::size_t bytes) { queue_.set_low_watermark(bytes); }  // default 16 KiB

  void pause(PauseReason reason);
  void resume(PauseReason reason);
  bool is_paused() const { return paused_ != 0; }

  // Server side: what is read from here on is TLS. `early` are bytes of the client's hello that the
  // caller has read already. The context must not go during this call, but may later. Ends in
  // on_tls_established or on_error.
  Result<void> start_tls(TlsContext& context, std::string_view early = {});
  // Whether what is read is wiped in OpenSSL's buffers, as it is from start_tls() on.
  void wipe_after_reading(bool is_secret) { tls_.wipe_after_reading(is_secret); }
  bool is_tls() const { return tls_.is_used(); }
  ssl_st* tls() const { return tls_.raw(); }

  // The bytes that the peer has not acknowledged yet, here and in the kernel: while it takes any,
  // they become fewer. A system call.
  std::size_t untaken_bytes() const;

  // What waits in the kernel to be read. A system call.
  std::size_t unread_bytes() const;

  // Says to the peer that nothing follows (close_notify, then FIN). Only with an empty queue. Not
  // for backends.
  void shutdown();

  int fd() const { return fd_; }
  Loop& loop() { return loop_; }

  // For the backend layer: while a watcher is set, the stream neither reads nor writes, and
  // readiness goes to the watcher instead of the sink: another owner (Connector/C) does the
  // reading. Only with an empty queue. watch_for() says what for.
  void start_watching(std::function<void(Readiness)> watcher);
  void watch_for(Readiness wanted);
  void stop_watching();
  // The descriptor has been closed by whom it belongs to: leaves the loop at once, and fails from
  // here on.
  void abandon();
  bool is_watching() const { return static_cast<bool>(watch_.watcher); }

 private:
  // Who is told of readiness instead of the sink.
  struct Watch {
    std::function<void(Readiness)> watcher;
    Readiness wanted = Readiness::kNone;
  };

  Stream(Loop& loop, int fd, StreamSink* sink);
  void on_poll(int status, int events);
  void on_writable();
  void continue_handshake();
  void fail_handshake(Error error);
  void deliver_soon();
  void deliver_buffered();
  void notify_readable();
  void listen_again();
  bool wants_read() const;
  bool has_unseen() const;
  std::uint8_t wanted_interest() const;
  void update_interest();
  void drop_interest(std::uint8_t unwanted);
  void set_interest(std::uint8_t wanted);
  Result<ReadResult> read_plain(std::span<char> buffer);
  Result<ReadResult> read_tls(std::span<char> buffer);
  Result<std::size_t> write_some(std::string_view bytes);
  Result<std::size_t> write_plain(std::string_view bytes);
  Result<std::size_t> write_tls(std::string_view bytes);
  Result<void> flush();
  Result<std::size_t> write_at_once(std::string_view bytes);
  void end_writing();

  Loop& loop_;
  UniqueFd owned_fd_;  // closed after poll_ and the TLS session are gone
  TlsSession tls_;
  int fd_;
  StreamSink* sink_;
  std::uint8_t paused_ = 0;    // PauseReason bits
  std::uint8_t interest_ = 0;  // what uv_poll is set to
  bool drained_ = false;       // the last read() said kWouldBlock
  bool ended_ = false;         // the peer has closed its side
  bool end_seen_ = false;      // and the owner knows
  bool failed_ = false;        // neither reads nor writes any more
  bool write_failed_ = false;  // reads what is left
  WriteQueue queue_;
  std::unique_ptr<Error> late_error_;  // read() gave bytes first; this is for the next
  Watch watch_;
  Deferred soon_;
  Handle<uv_poll_s> poll_;  // last: closed before the descriptor
};

}  // namespace tidepool::net
