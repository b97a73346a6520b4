#include "api/batch.h"

#include <algorithm>
#include <atomic>
#include <nlohmann/json.hpp>

#include "api/sheet_desk.h"

namespace alcove::api {
namespace {

class Batch : public std::enable_shared_from_this<Batch> {
 public:
  Batch(SheetSpace& space, const SheetDesk& desk, std::shared_ptr<const BatchUpload> upload,
        std::shared_ptr<BatchSink> sink)
      : space_(space), desk_(desk), upload_(std::move(upload)), sink_(std::move(sink)) {}

  void start() {
    lanes_ = std::min<std::size_t>(upload_->size(), static_cast<std::size_t>(space_.queue().workers()));
    for (auto lane = lanes_.load(); lane > 0; --lane) come_again();
  }

 private:
  void come_again() {
    space_.submit_again([self = shared_from_this()](sheets::SheetReader& reader, double queued_seconds) {
      self->read_next(reader, queued_seconds);
    });
  }

  void read_next(sheets::SheetReader& reader, double queued_seconds) {
    const auto index = next_++;
    if (index < upload_->size() && sink_->wanted()) {
      sink_->result(line_of(index, reader, queued_seconds));
      if (next_ < upload_->size()) return come_again();
    }
    if (--lanes_ == 0) sink_->end();
  }

  Json line_of(std::size_t index, sheets::SheetReader& reader, double queued_seconds) const {
    const auto file = upload_->file(index);
    auto answer =
        file ? desk_.read(reader, *file, queued_seconds, upload_->request_id()) : desk_.refuse(file.error());
    Json line{{"index", index},
              {"file", upload_->name(index)},
              {"status", answer.status},
              {"success", answer.status == 200}};
    line.update(answer.body);
    return line;
  }

  SheetSpace& space_;
  const SheetDesk& desk_;
  const std::shared_ptr<const BatchUpload> upload_;
  const std::shared_ptr<BatchSink> sink_;
  std::atomic<std::size_t> next_{0};
  std::atomic<std::size_t> lanes_{0};
};

}  // namespace

void read_batch(SheetSpace& space, const SheetDesk& desk, std::shared_ptr<const BatchUpload> upload,
                std::shared_ptr<BatchSink> sink) {
  std::make_shared<Batch>(space, desk, std::move(upload), std::move(sink))->start();
}

}  // namespace alcove::api
