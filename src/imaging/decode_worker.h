#pragma once
// The children's side of imaging/decode_pool.h: a keeper that opens no file, and for each page a worker
// forked from it that opens one.

#include "imaging/decode.h"
#include "imaging/worker_limits.h"

namespace alcove::imaging {

constexpr int kControlSocket = 3;  // where the keeper is spoken to

// Pool to keeper: fork a worker with these limits on the socket that comes along.
struct StartWorker {
  WorkerLimits limits;
};
// Keeper to pool, once: what a worker on this host has to do without.
struct KeeperReady {
  GrantedLimits granted = 0;
};

using DecodeFunction = Result<Page> (*)(Bytes, const DecodeOptions&);

// The keeper, as a process of its own: warms the decoders up, then forks until nobody holds the other end of
// the control socket. Gives the exit code; a worker that it forked never comes back from here.
int keep_decode_workers(DecodeFunction decode = decode_page);

}  // namespace alcove::imaging
