#include "weights/pickle_stack.h"

#include <fmt/format.h>

namespace alcove::weights {
namespace {

std::unexpected<Error> too_large(std::string_view what, std::size_t limit) {
  return fail(ErrorKind::TooLarge,
              fmt::format("the pickle holds more than {} {}, which no checkpoint needs", limit, what),
              "damaged");
}

}  // namespace

Result<void> PickleStack::charge(std::size_t values) {
  if (values > limits_.values - values_) return too_large("values", limits_.values);
  values_ += values;
  return {};
}

Result<void> PickleStack::charge_text(std::size_t bytes) {
  if (bytes > limits_.text - text_) return too_large("bytes of text", limits_.text);
  text_ += bytes;
  return {};
}

Result<Value*> PickleStack::make(Value value) {
  TRY(charge(1));
  return &arena_->emplace_back(std::move(value));
}

Result<void> PickleStack::push(Value* value) {
  TRY(charge(1));
  stack_.push_back(value);
  return {};
}

Result<Value*> PickleStack::top() const {
  if (stack_.size() <= fence()) return damaged("nothing on the stack");
  return stack_.back();
}

Result<Value*> PickleStack::pop() {
  auto* value = TRY(top());
  stack_.pop_back();
  return value;
}

Result<PickleStack::Items> PickleStack::pop_last(std::size_t count) {
  if (stack_.size() - fence() < count) return damaged("too few values on the stack");
  Items items(stack_.end() - static_cast<std::ptrdiff_t>(count), stack_.end());
  stack_.resize(stack_.size() - count);
  return items;
}

Result<PickleStack::Items> PickleStack::pop_to_mark() {
  if (marks_.empty()) return damaged("no MARK before it");
  auto items = TRY(pop_last(stack_.size() - fence()));
  marks_.pop_back();
  return items;
}

Result<void> PickleStack::drop() {
  if (!marks_.empty() && marks_.back() == stack_.size())
    marks_.pop_back();
  else
    TRY(pop());
  return {};
}

Result<void> PickleStack::mark() {
  if (marks_.size() >= limits_.depth) return too_large("open MARKs", limits_.depth);
  marks_.push_back(stack_.size());
  return {};
}

Result<void> PickleStack::remember(std::uint64_t index) {
  auto* value = TRY(top());
  TRY(charge(1));
  memo_[index] = value;
  return {};
}

Result<void> PickleStack::recall(std::uint64_t index) {
  const auto found = memo_.find(index);
  if (found == memo_.end()) return damaged(fmt::format("memo {} was never set", index));
  return push(found->second);
}

}  // namespace alcove::weights
