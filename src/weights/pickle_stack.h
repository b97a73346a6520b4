#pragma once
// What a pickle's program works on: its values, a stack with MARKs, a memo, and the limits that keep all
// three in proportion. Errors carry "damaged" and no place; the reader knows which opcode it was.

#include <deque>
#include <unordered_map>

#include "weights/pickle.h"
#include "weights/refusal.h"

namespace alcove::weights {

class PickleStack {
 public:
  using Items = std::vector<ValuePtr>;

  explicit PickleStack(const PickleLimits& limits) : limits_(limits) {}

  // TooLarge when the limits would be passed. Whatever copies or makes values asks first.
  Result<void> charge(std::size_t values);
  Result<void> charge_text(std::size_t bytes);

  Result<void> push(Value* value);
  template <class T>
  Result<void> push_new(T data) {
    return push_value(Value{std::move(data)});
  }
  Result<void> push_value(Value value) { return push(TRY(make(std::move(value)))); }
  Result<Value*> make(Value value);

  // MARKs fence off what lies below them: none of these reaches past the last one.
  Result<Value*> top() const;
  Result<Value*> pop();
  Result<Items> pop_last(std::size_t count);
  Result<Items> pop_to_mark();  // and the MARK
  Result<void> drop();          // the last value, or the MARK when nothing follows it
  Result<void> mark();

  Result<void> remember(std::uint64_t index);  // the last value, in the memo
  Result<void> recall(std::uint64_t index);
  std::size_t remembered() const { return memo_.size(); }

  // `root` as an owner of every value made here.
  std::shared_ptr<const Value> own(const Value* root) const { return {arena_, root}; }

 private:
  std::size_t fence() const { return marks_.empty() ? 0 : marks_.back(); }

  // One home for all values: they point at each other in loops or a million deep, and still go one by one.
  std::shared_ptr<std::deque<Value>> arena_ = std::make_shared<std::deque<Value>>();
  std::vector<Value*> stack_;
  std::vector<std::size_t> marks_;
  std::unordered_map<std::uint64_t, Value*> memo_;
  const PickleLimits limits_;
  std::size_t values_ = 0;
  std::size_t text_ = 0;
};

}  // namespace alcove::weights
