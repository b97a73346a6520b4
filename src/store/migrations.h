#pragma once
// A database's schema as one list of steps, each run once and for all.

#include "store/connection.h"

namespace alcove::store {

// New steps go to the end of their list; one that has been released is never changed. The text is SQL for
// both databases, in which {blob} stands for bytes (BLOB, BYTEA) and {id} for a number of the database's own
// (a primary key that counts up).
struct Migration {
  std::string_view title;
  std::string_view sql;
};

// Brings the part of the database called `name` ("gateway", "papers") to the end of `list`; several processes
// may try at once. Unsupported ("newer_schema") when a newer program wrote it: nothing is changed then.
Result<void> migrate(Connection& connection, std::string_view name, std::span<const Migration> list);

// How many steps a database is behind, nothing changed: all of them when it is new. Errors as migrate()'s.
Result<std::size_t> steps_missing(Connection& connection, std::string_view name,
                                  std::span<const Migration> list);

}  // namespace alcove::store
