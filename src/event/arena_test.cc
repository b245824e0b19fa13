#include "event/arena.h"

#include <gtest/gtest.h>

namespace enclave::event {
namespace {

// An input reads until its batch has so many bytes: kept memory that counted would leave no room in a batch used again.
TEST(ArenaTest, WhatItKeepsForLaterIsNotInUse) {
  Arena arena;
  for (int i = 0; i < 40; ++i) arena.allocate_text(60'000);
  EXPECT_GT(arena.bytes(), 2'000'000U);
  arena.clear();
  EXPECT_EQ(arena.bytes(), 0U);
  for (int i = 0; i < 40; ++i) arena.allocate_text(60'000);
  EXPECT_GT(arena.bytes(), 2'000'000U) << "memory that is used again counts again";
}

}  // namespace
}  // namespace enclave::event
