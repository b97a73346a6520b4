#include "api/serve_gateway.h"

#include <fmt/format.h>
#include <malloc.h>

#include <mutex>
#include <optional>
#include <thread>

#include "api/gateway_service.h"
#include "api/local_reader.h"
#include "api/stop_signals.h"
#include "base/log.h"
#include "gateway/gateway.h"
#include "gateway/matching_keeper.h"
#include "gateway/retention_keeper.h"
#include "imaging/decode_pool.h"
#include "sheets/model_folder.h"

namespace alcove::api {
namespace {

constexpr BatchLimits kBatch{
    .files = 10'000, .file_bytes = 52'428'800, .inflated_bytes = std::uint64_t{4} << 30};
constexpr std::uint64_t kBatchBody = 512 << 20;

// What a gateway and a worker share: the ledger and those who read.
struct Wiring {
  gateway::Figures figures;
  std::string space_error;  // why the address of the Space cannot be used
  std::unique_ptr<gateway::Ledger> ledger;
  std::unique_ptr<LocalReader> local;
  std::unique_ptr<gateway::Space> space;
  std::unique_ptr<gateway::Readers> readers;
  std::once_flag first_stack;
  std::unique_ptr<imaging::DecodePool> cutters;  // with the first stack: most gateways never see one

  Result<imaging::Cut> cut(Bytes file, const imaging::CutOptions& options) {
    std::call_once(first_stack, [&] { cutters = std::make_unique<imaging::DecodePool>(); });
    return cutters->cut(file, options);
  }
};

gateway::CutPages cut_with(Wiring& wiring) {
  return [&wiring](Bytes file, const imaging::CutOptions& options) { return wiring.cut(file, options); };
}

void report_wiring(const GatewayProcess& process, const Wiring& wiring) {
  if (process.space_url.empty()) {
    log(LogLevel::Warning, "space_not_configured",
        {{"note", std::string("HF_SPACE_URL is not configured: sheets are read here or not at all")}});
  } else if (!wiring.space) {
    log(LogLevel::Error, "space_misconfigured", {{"why", wiring.space_error}});
  }
  log(LogLevel::Info, "reads_here",
      {{"value", wiring.readers->can_read_here()}, {"models", process.reader.models.string()}});
  if (!wiring.readers->any()) log(LogLevel::Error, "no_reader", {{"why", wiring.readers->advice()}});
  if (!wiring.ledger->shared())
    log(LogLevel::Warning, "files_live_on_this_disk",
        {{"data", process.ledger.data.string()},
         {"note",
          std::string("where disks vanish with a restart, set DATABASE_URL to a PostgreSQL server")}});
}

// The one line of the log that is a secret: until it is used, whoever reads the log may be the administrator.
void report_setup(const GatewayProcess& process, int port, const std::string& word) {
  const auto host =
      process.server.host == "0.0.0.0" || process.server.host == "::" ? "127.0.0.1" : process.server.host;
  log(LogLevel::Info, "no_accounts_yet",
      {{"link", fmt::format("http://{}:{}/#setup/{}", host, port, word)},
       {"note",
        std::string("open it once to make the administrator's account; from then on everybody signs in")}});
}

Result<std::unique_ptr<Wiring>> wire(const GatewayProcess& process) {
  auto wiring = std::make_unique<Wiring>();
  wiring->ledger = TRY(gateway::Ledger::open(process.ledger));
  gateway::ReadHere here;
  if (sheets::find_models(process.reader.models).complete()) {
    auto reader = process.reader;
    reader.engine.requests = process.workers_here;
    wiring->local = std::make_unique<LocalReader>(reader, process.sheet);
    here = [local = wiring->local.get()](const gateway::SheetToRead& sheet) { return local->read(sheet); };
  }
  if (!process.space_url.empty()) {
    const auto address = gateway::parse_space_address(process.space_url, process.space_repository);
    if (address) {
      wiring->space = std::make_unique<gateway::Space>(gateway::SpaceSettings{
          .address = *address, .token = process.space_token, .hub_token = process.hub_token});
    } else {
      wiring->space_error = address.error().message;
    }
  }
  wiring->readers = std::make_unique<gateway::Readers>(process.readers, wiring->space.get(), std::move(here),
                                                       wiring->figures);
  report_wiring(process, *wiring);
  return wiring;
}

}  // namespace

Result<void> serve_gateway(const GatewayProcess& process) {
  // A sheet's megabytes go back to the system when it is done, and not into an arena for each thread.
  ::mallopt(M_MMAP_THRESHOLD, 256 << 10);
  ::mallopt(M_ARENA_MAX, 2);
  const auto signals = block_stop_signals();
  const auto wiring = TRY(wire(process));
  auto matching = TRY(gateway::Matching::open(process.ledger.data, process.ledger.database, false));
  const auto desk =
      TRY(gateway::OfficeDesk::open(process.ledger.data, process.ledger.database, *wiring->ledger));
  GatewayService* service_to_tell = nullptr;
  gateway::Gateway gateway(
      {.workers = process.workers,
       .recorded = [&](const gateway::Record& record) { service_to_tell->recorded(record); },
       .cut = cut_with(*wiring)},
      *wiring->ledger, *wiring->readers, wiring->figures);
  const auto accounts = TRY(gateway::AccountBook::open(process.ledger.data, process.ledger.database));
  Gate gate({.tokens = process.door.tokens,
             .guard_figures = process.door.guard_figures,
             .require_account = process.require_account},
            *accounts);
  const auto setup = TRY(accounts->setup_word());
  GatewayService service({.log_probes = process.door.log_probes,
                          .sheet_limit = process.server.body_limit,
                          .space_url = process.space_url,
                          .space_error = wiring->space_error,
                          .models = process.reader.models,
                          .batch = kBatch},
                         gateway, *wiring->ledger, *wiring->readers, wiring->figures, *desk, gate);
  service_to_tell = &service;
  gateway::MatchingKeeper keeper(std::move(matching));
  std::optional<gateway::RetentionKeeper> purges;
  if (process.purge_every.count() > 0)
    purges.emplace(TRY(gateway::Retention::open(process.ledger.data, process.ledger.database)),
                   process.purge_every);
  auto server = process.server;
  server.body_limit = std::max(server.body_limit, kBatchBody);
  server.spool = process.ledger.data / "incoming";
  std::error_code exists;
  std::filesystem::create_directory(server.spool, exists);
  std::thread leaving;
  TRY(run_server(server, service, [&](int port) {
    log(LogLevel::Info, "listening", {{"host", process.server.host}, {"port", static_cast<long long>(port)}});
    if (setup) report_setup(process, port, *setup);
    gateway.start();
    leaving = std::thread([&] {
      // A sheet that waits for its Space has a gateway that waits with it.
      wait_for_stop(signals, process.idle_exit, [&] {
        const auto sheets = wiring->ledger->counts();
        return !sheets || sheets->waiting + sheets->reading > 0;
      });
      service.drain();
      gateway.drain();
      finish_or_stop(signals, process.drain, [&] { return gateway.under_way() > 0; });
      gateway.end_waits();
      finish_or_stop(signals, std::chrono::seconds(1), [] { return requests_in_flight() > 0; });
      stop_server();
    });
  }));
  leaving.join();
  gateway.stop();  // before the service, which it tells of its records
  log(LogLevel::Info, "stopped");
  return {};
}

Result<void> run_worker(const GatewayProcess& process) {
  if (process.ledger.database.empty())
    return fail(
        ErrorKind::BadInput,
        "a worker shares the gateway's database: set DATABASE_URL to the same postgres://… as the gateway");
  const auto signals = block_stop_signals();
  const auto wiring = TRY(wire(process));
  if (!wiring->readers->any()) return fail(ErrorKind::BadInput, wiring->readers->advice());
  gateway::Gateway gateway({.workers = process.workers, .recorded = {}, .cut = cut_with(*wiring)},
                           *wiring->ledger, *wiring->readers, wiring->figures);
  gateway.start();
  wait_for_stop(signals);
  gateway.drain();
  finish_or_stop(signals, process.drain, [&] { return gateway.under_way() > 0; });
  return {};
}

}  // namespace alcove::api
