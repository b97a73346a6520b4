#pragma once
// The subcommands. Each adds itself to the parser; when it was the one called, `run` is set to what it does.

#include <functional>

namespace CLI {
class App;
}

namespace alcove::app {

using Run = std::function<int()>;  // gives the exit code

void add_serve(CLI::App& parser, Run& run);
void add_serve_finder(CLI::App& serve_command, Run& run);  // a part of it
void add_gateway(CLI::App& parser, Run& run);
void add_watch(CLI::App& parser, Run& run);
void add_worker(CLI::App& parser, Run& run);
void add_read(CLI::App& parser, Run& run);
void add_template(CLI::App& parser, Run& run);
void add_model(CLI::App& parser, Run& run);
void add_model_pull(CLI::App& command, Run& run);  // a subcommand of `model`
void add_papers(CLI::App& parser, Run& run);
void add_embed(CLI::App& parser, Run& run);
void add_space(CLI::App& parser, Run& run);
void add_demo(CLI::App& parser, Run& run);
void add_decode_workers(CLI::App& parser, Run& run);

}  // namespace alcove::app
