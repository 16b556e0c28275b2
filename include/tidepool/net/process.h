// What a process needs once before its first loop: no core dumps, SIGPIPE ignored (OpenSSL writes
// without MSG_NOSIGNAL), as many file descriptors as the system allows, and the size of libuv's
// thread pool, on which dials run. Called at the start of main and of test programs, before any
// thread exists.
#pragma once

namespace tidepool::net {

// A dial waits on the network most of its time, so the pool has many more threads than processors.
// UV_THREADPOOL_SIZE in the environment wins.
inline constexpr unsigned kDefaultBlockingThreads = 32;

// SIGPIPE alone: the reader of what the program prints or logs may leave.
void ignore_broken_pipes();

// Whether the kernel may write the memory to a file, and show it to a process of the same user
// (PR_SET_DUMPABLE): it holds passwords and rows. A program that is run starts with yes.
void let_memory_be_dumped(bool may);

void prepare_process(unsigned blocking_threads = kDefaultBlockingThreads);

}  // namespace tidepool::net
