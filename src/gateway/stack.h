#pragma once
// A PDF of many sheets, one behind the other as they came out of the scanner: each page is looked at, and one
// with both boxes is the cover of the next sheet.

#include <functional>

#include "gateway/ledger.h"
#include "gateway/readers.h"
#include "imaging/cut_pages.h"

namespace alcove::gateway {

// imaging::cut_pages(), in a child. Safe from any thread.
using CutPages = std::function<Result<imaging::Cut>(Bytes, const imaging::CutOptions&)>;

// What a stack is taken apart with; all outlive the call.
struct StackTools {
  Ledger& ledger;
  Readers& readers;
  const CutPages& cut;
  const std::string& owner;         // who holds the stack, in the ledger
  std::function<bool()> may_go_on;  // false: the rest is for the next start
  // A sheet that was entered, with the reading of its cover.
  std::function<void(const Claim&, const Outcome&)> entered;
};

// Enters sheet after sheet as soon as the next cover is found, so that the first are recorded while the rest
// is looked at. Pages before the first cover are a sheet too, for somebody to see. A stack that was begun
// before goes on behind its last sheet. False: it is one sheet after all, to be read as such. Unavailable or
// Overloaded: later, perhaps.
Result<bool> take_apart(const Claim& stack, Bytes content, const StackTools& tools,
                        const std::stop_token& stop);

}  // namespace alcove::gateway
