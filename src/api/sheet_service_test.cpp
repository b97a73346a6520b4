#include "api/sheet_service.h"

#include <gtest/gtest.h>

#include <future>
#include <nlohmann/json.hpp>
