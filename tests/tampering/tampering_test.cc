#include <gmock/gmock.h>

#include "archive/tiles.h"
#include "sealed_log.h"

namespace enclave::tampering {
namespace {

namespace fs = std::filesystem;
using archive::Weight;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

/// Offset of leaf `index` in its bundle; the length stands in the two bytes before it.
std::size_t offset_in_bundle(const std::string& bundle, unsigned width, std::uint64_t index) {
  const auto entries = archive::decode_entries(bundle, width).value();
  return static_cast<std::size_t>(entries[index % 256].data() - bundle.data());
}

class Tampering : public testing::Test {
 protected:
  Tampering() : copy(sealed_log().host->bucket()) {}
  const SealedLog& log = sealed_log();
  std::uint64_t size = log.host->log().size();
  std::string last_bundle = fmt::format("tile/entries/001.p/{}", size - 256);
  std::string last_tile = fmt::format("tile/0/001.p/{}", size - 256);
  Copy copy;
};

TEST_F(Tampering, AnUntouchedLogIsGoodWithAndWithoutTheIdentity) {
  const auto report = copy.verify();
  EXPECT_EQ(report.exit_status(), 0) << testing::PrintToString(of_weight(report, Weight::inconclusive));
  EXPECT_THAT(violations(report), IsEmpty());
  ASSERT_THAT(report.logs, SizeIs(1));
  EXPECT_EQ(report.logs[0].size, size);
  EXPECT_EQ(report.logs[0].objects, log.objects.size());
  EXPECT_EQ(report.logs[0].objects_ok, log.objects.size());
  EXPECT_EQ(report.logs[0].records, log.host->next_seq() - 1);
  EXPECT_EQ(report.logs[0].checkpoint, log.checkpoints.back());
  EXPECT_THAT(report.logs[0].findings, IsEmpty());
  const auto opened = copy.verify([&](auto& options) { options.identities = {&log.host->identity(), 1}; });
  EXPECT_EQ(opened.exit_status(), 0);
  EXPECT_EQ(opened.logs[0].records_read, log.host->next_seq() - 1);
}

TEST_F(Tampering, ACopyWithoutOlderVersionsIsGood) {
  fs::remove_all(copy.path() / ".enclave-versions");
  EXPECT_EQ(copy.verify().exit_status(), 0);
}

TEST_F(Tampering, OneByteOfAnObjectNamesItsRecordsTimesAndSources) {
  copy.flip(copy.file(object_name(log.objects[3])), 250);
  const auto report = copy.verify();
  EXPECT_EQ(report.exit_status(), 3);
  EXPECT_THAT(violations(report),
              ElementsAre(fmt::format("MODIFIED {} {}", object_name(log.objects[3]), log.objects[3])));
  const auto& finding = report.logs[0].findings.at(0);
  EXPECT_EQ(finding.seq, std::pair(std::uint64_t{54}, std::uint64_t{153}));
  EXPECT_THAT(finding.sources, ElementsAre(log.host->source()));
  EXPECT_GT(finding.time_first_ns, 0);
  EXPECT_EQ(report.logs[0].objects_ok, log.objects.size() - 1);
}

TEST_F(Tampering, AShorterAndALongerObjectAreModified) {
  const auto first = copy.file(object_name(log.objects[0])), second = copy.file(object_name(log.objects[1]));
  Copy::write(first, Copy::read(first) + "x");
  Copy::write(second, "");
  EXPECT_THAT(violations(copy.verify()),
              ElementsAre(fmt::format("MODIFIED {} {}", object_name(log.objects[0]), log.objects[0]),
                          fmt::format("MODIFIED {} {}", object_name(log.objects[1]), log.objects[1])));
}

TEST_F(Tampering, TwoObjectsThatChangedPlacesAreBothModified) {
  const auto first = copy.file(object_name(log.objects[0])), second = copy.file(object_name(log.objects[1]));
  const std::string bytes = Copy::read(first);
  Copy::write(first, Copy::read(second));
  Copy::write(second, bytes);
  EXPECT_THAT(violations(copy.verify()), SizeIs(2));
}

TEST_F(Tampering, ADeletedObjectIsMissing) {
  fs::remove(copy.file(object_name(log.objects[2])));
  const auto report = copy.verify();
  EXPECT_EQ(report.exit_status(), 3);
  EXPECT_THAT(violations(report),
              ElementsAre(fmt::format("MISSING {} {}", object_name(log.objects[2]), log.objects[2])));
}

TEST_F(Tampering, AnObjectThatWaitsInTheOutboxIsPendingAndNotMissing) {
  fs::remove(copy.file(object_name(log.objects[2])));
  const auto report =
      copy.verify([&](auto& options) { options.pending_objects = {copy.key(object_name(log.objects[2]))}; });
  EXPECT_EQ(report.exit_status(), 0);
  EXPECT_THAT(of_weight(report, Weight::note),
              ElementsAre(fmt::format("PENDING {} {}", object_name(log.objects[2]), log.objects[2])));
}

TEST_F(Tampering, AnOlderVersionThatIsWholeIsPointedTo) {
  const std::string name = object_name(log.objects[2]);
  const auto versions = copy.path() / ".enclave-versions" / copy.key(name);
  Copy::write(versions / "00000000000000000001", Copy::read(copy.file(name)));
  fs::remove(copy.file(name));
  Copy::write(versions / "00000000000000000002.deleted", "");
  const auto report = copy.verify();
  EXPECT_THAT(violations(report), ElementsAre(fmt::format("MISSING {} {}", name, log.objects[2])));
  EXPECT_THAT(report.logs[0].findings.at(0).text, HasSubstr("Version 00000000000000000001 of it is still stored"));
}

TEST_F(Tampering, AnOlderVersionOfAnObjectWithOtherBytesIsModified) {
  const std::string name = object_name(log.objects[2]);
  Copy::write(copy.path() / ".enclave-versions" / copy.key(name) / "00000000000000000001", "other bytes");
  EXPECT_THAT(violations(copy.verify()), ElementsAre(fmt::format("MODIFIED {} {}", name, log.objects[2])));
}

TEST_F(Tampering, AnObjectThatNoLeafNamesIsExtra) {
  Copy::write(copy.file(object_name(1)), "forged");
  EXPECT_THAT(violations(copy.verify()), ElementsAre("EXTRA " + object_name(1) + " 1"));
}

TEST_F(Tampering, ASecondObjectBesideTheRightOneIsExtra) {
  const std::string name = fmt::format("b/{:020}.cms", log.objects[0]);
  Copy::write(copy.file(name), "forged");
  EXPECT_THAT(violations(copy.verify()), ElementsAre(fmt::format("EXTRA {} {}", name, log.objects[0])));
}

TEST_F(Tampering, KeysWithoutARoleAreExtra) {
  Copy::write(copy.file("b/readme"), "x");
  Copy::write(copy.path() / "v1/readme", "x");
  Copy::write(copy.file("tile/5/000"), std::string(8192, 'x'));
  Copy::write(copy.file("tile/entries/x999/999"), "x");
  EXPECT_THAT(violations(copy.verify()),
              testing::UnorderedElementsAre("EXTRA v1/ec528/vm-1/g1/b/readme", "EXTRA v1/readme", "EXTRA tile/5/000",
                                            "EXTRA tile/entries/x999/999"));
}

TEST_F(Tampering, AnObjectBeyondTheCheckpointIsPending) {
  Copy::write(copy.file(object_name(size)), "sent a moment ago");
  const auto report = copy.verify();
  EXPECT_EQ(report.exit_status(), 0);
  EXPECT_THAT(of_weight(report, Weight::note), ElementsAre(fmt::format("PENDING {} {}", object_name(size), size)));
}

TEST_F(Tampering, ALeafInAFullBundleIsNamedExactly) {
  const auto file = copy.file("tile/entries/000");
  copy.flip(file, offset_in_bundle(Copy::read(file), 256, 100) + 30);
  const auto report = copy.verify();
  EXPECT_EQ(report.exit_status(), 3);
  EXPECT_THAT(violations(report), ElementsAre("MODIFIED tile/entries/000 100"));
}

TEST_F(Tampering, ALeafInThePartialBundleIsNamedExactly) {
  const auto file = copy.file(last_bundle);
  copy.flip(file, offset_in_bundle(Copy::read(file), static_cast<unsigned>(size - 256), size - 2) + 30);
  EXPECT_THAT(violations(copy.verify()), ElementsAre(fmt::format("MODIFIED {} {}", last_bundle, size - 2)));
}

TEST_F(Tampering, ALeafWhoseTextIsLostNamesTheRecordsBetweenItsNeighbours) {
  // No partial bundle holds a leaf of the last upload a second time.
  const auto file = copy.file(last_bundle);
  const std::uint64_t index = log.objects.back();
  copy.flip(file, offset_in_bundle(Copy::read(file), static_cast<unsigned>(size - 256), index) + 30);
  const auto report = copy.verify();
  EXPECT_THAT(violations(report), ElementsAre(fmt::format("MODIFIED {} {}", last_bundle, index)));
  EXPECT_THAT(report.logs[0].findings.at(0).text, HasSubstr("lost"));
  EXPECT_GT(report.logs[0].findings.at(0).time_first_ns, 0);
}

TEST_F(Tampering, AnEntryLengthIsPartOfItsLeaf) {
  const auto file = copy.file("tile/entries/000");
  copy.flip(file, offset_in_bundle(Copy::read(file), 256, 50) - 1);
  EXPECT_THAT(violations(copy.verify()), ElementsAre("MODIFIED tile/entries/000 50"));
}

TEST_F(Tampering, AnOlderPartialBundleIsVerifiedToo) {
  const auto file = copy.file("tile/entries/000.p/3");
  ASSERT_TRUE(fs::exists(file));
  copy.flip(file, offset_in_bundle(Copy::read(file), 3, 1) + 5);
  EXPECT_THAT(violations(copy.verify()), ElementsAre("MODIFIED tile/entries/000.p/3 1"));
}

TEST_F(Tampering, ADeletedBundleIsMissing) {
  fs::remove(copy.file(last_bundle));
  const auto found = violations(copy.verify());
  ASSERT_THAT(found, SizeIs(1));
  EXPECT_THAT(found[0], HasSubstr("MISSING " + last_bundle));
}

TEST_F(Tampering, AHashOfTheFullTileIsNamedAndTheLeavesAreWhole) {
  copy.flip(copy.file("tile/0/000"), 32 * 77 + 4);
  const auto report = copy.verify();
  EXPECT_THAT(violations(report), ElementsAre("MODIFIED tile/0/000 77"));
  EXPECT_EQ(report.logs[0].objects_ok, log.objects.size());
}

TEST_F(Tampering, AHashOfThePartialTileIsNamed) {
  copy.flip(copy.file(last_tile), 32 * 5);
  EXPECT_THAT(violations(copy.verify()), ElementsAre(fmt::format("MODIFIED {} 261", last_tile)));
}

TEST_F(Tampering, AHashOfAnOlderPartialTileIsNamed) {
  copy.flip(copy.file("tile/0/000.p/3"), 33);
  EXPECT_THAT(violations(copy.verify()), ElementsAre("MODIFIED tile/0/000.p/3 1"));
}

TEST_F(Tampering, AHashOfTheUpperTileIsNamedWithItsFirstLeaf) {
  copy.flip(copy.file("tile/1/000.p/1"), 0);
  EXPECT_THAT(violations(copy.verify()), ElementsAre("MODIFIED tile/1/000.p/1 0"));
}

TEST_F(Tampering, ADeletedHashTileIsMissing) {
  fs::remove(copy.file("tile/1/000.p/1"));
  EXPECT_THAT(violations(copy.verify()), ElementsAre("MISSING tile/1/000.p/1 0"));
}

TEST_F(Tampering, ABundleAndATileChangedAtDifferentLeavesAreBothNamed) {
  const auto file = copy.file("tile/entries/000");
  copy.flip(file, offset_in_bundle(Copy::read(file), 256, 100) + 30);
  copy.flip(copy.file("tile/0/000"), 32 * 77 + 4);
  EXPECT_THAT(violations(copy.verify()), ElementsAre("MODIFIED tile/0/000 77", "MODIFIED tile/entries/000 100"));
}

TEST_F(Tampering, ALeafAndItsHashChangedTogetherAreFoundByTheTileAbove) {
  const auto file = copy.file("tile/entries/000");
  std::string bundle = Copy::read(file);
  copy.flip(file, offset_in_bundle(bundle, 256, 100) + 30);
  bundle = Copy::read(file);
  std::string tile = Copy::read(copy.file("tile/0/000"));
  const auto hash = archive::leaf_hash(archive::decode_entries(bundle, 256).value()[100]);
  std::copy(hash.begin(), hash.end(), tile.begin() + 32 * 100);
  Copy::write(copy.file("tile/0/000"), tile);
  EXPECT_THAT(violations(copy.verify()), ElementsAre("MODIFIED tile/0/000 0", "MODIFIED tile/entries/000 0"));
}

TEST_F(Tampering, AKeyLeafThatChangedIsNamedAndNothingUnsignedPasses) {
  const auto file = copy.file("tile/entries/000");
  copy.flip(file, offset_in_bundle(Copy::read(file), 256, log.key_leaf) + 100);
  const auto report = copy.verify();
  EXPECT_THAT(violations(report), ElementsAre(fmt::format("MODIFIED tile/entries/000 {}", log.key_leaf)));
}

TEST_F(Tampering, TheFirstKeyLeafThatChangedIsNamed) {
  const auto file = copy.file("tile/entries/000");
  const std::string bundle = Copy::read(file);
  const std::size_t vkey = bundle.find("\nkey ");
  copy.flip(file, vkey + 40);
  EXPECT_THAT(violations(copy.verify()), ElementsAre("MODIFIED tile/entries/000 0"));
}

TEST_F(Tampering, AnyByteOfTheCheckpointMakesItModified) {
  const std::string original = Copy::read(copy.file("checkpoint"));
  for (std::size_t offset = 0; offset < original.size(); offset += 3) {
    std::string changed = original;
    changed[offset] = static_cast<char>(changed[offset] ^ 1);
    Copy::write(copy.file("checkpoint"), changed);
    EXPECT_THAT(violations(copy.verify()), ElementsAre("MODIFIED checkpoint")) << "offset " << offset;
  }
}

TEST_F(Tampering, AnOlderVersionOfTheCheckpointIsVerifiedToo) {
  const auto versions = copy.path() / ".enclave-versions" / copy.key("checkpoint");
  const auto file = versions / "00000000000000000003";
  ASSERT_TRUE(fs::exists(file));
  copy.flip(file, 20);
  const auto report = copy.verify();
  EXPECT_THAT(violations(report), ElementsAre("MODIFIED checkpoint"));
  EXPECT_THAT(report.logs[0].findings.at(0).text, HasSubstr("00000000000000000003"));
}

TEST_F(Tampering, ADeletedCheckpointIsMissing) {
  fs::remove(copy.file("checkpoint"));
  EXPECT_THAT(violations(copy.verify()), ElementsAre("MISSING checkpoint"));
  fs::remove_all(copy.path() / ".enclave-versions");
  const auto report = copy.verify();
  EXPECT_EQ(report.exit_status(), 3);
  EXPECT_THAT(violations(report), ElementsAre("MISSING checkpoint"));
}

TEST_F(Tampering, AnOlderCheckpointPutBackIsTruncatedBecauseALargerVersionIsKept) {
  Copy::write(copy.file("checkpoint"), log.checkpoints[6]);
  const auto found = violations(copy.verify());
  EXPECT_THAT(found, testing::Contains(HasSubstr("TRUNCATED checkpoint")));
  for (const std::string& each : found) EXPECT_THAT(each, testing::StartsWith("TRUNCATED"));
}

TEST_F(Tampering, TheTailCutWithItsCheckpointIsTruncatedForWhoSawItBefore) {
  fs::remove_all(copy.path() / ".enclave-versions");
  const std::uint64_t older = archive::Checkpoint::parse(archive::Note::parse(log.checkpoints[6])->text)->size;
  Copy::write(copy.file("checkpoint"), log.checkpoints[6]);
  for (const auto& tile : archive::tiles_between(older, size)) fs::remove(copy.file(archive::tile_path(tile)));
  for (std::size_t i = 7; i < log.checkpoints.size() - 1; ++i) {
    const std::uint64_t one = archive::Checkpoint::parse(archive::Note::parse(log.checkpoints[i])->text)->size;
    for (const auto& tile : archive::tiles_between(older, one)) fs::remove(copy.file(archive::tile_path(tile)));
  }
  for (const std::uint64_t index : log.objects)
    if (index >= older) fs::remove(copy.file(object_name(index)));
  EXPECT_EQ(copy.verify().exit_status(), 0);
  const auto report = copy.verify([&](auto& options) { options.last_seen = {log.checkpoints.back()}; });
  EXPECT_EQ(report.exit_status(), 3);
  EXPECT_THAT(violations(report), ElementsAre(fmt::format("TRUNCATED checkpoint {}", older)));
}

TEST_F(Tampering, TheTailCutUnderItsCheckpointIsMissing) {
  fs::remove(copy.file(last_bundle));
  fs::remove(copy.file(last_tile));
  const auto found = violations(copy.verify());
  EXPECT_THAT(found, testing::Contains(HasSubstr("MISSING " + last_bundle)));
  for (const std::string& each : found) EXPECT_THAT(each, testing::StartsWith("MISSING tile/"));
}

TEST_F(Tampering, ARolledBackDirectoryIsTruncatedForWhoSawItBefore) {
  for (const auto& snapshot : log.snapshots) {
    const Copy old(snapshot);
    EXPECT_EQ(old.verify().exit_status(), 0);
    const auto report = old.verify([&](auto& options) { options.last_seen = {log.checkpoints.back()}; });
    EXPECT_EQ(report.exit_status(), 3);
    const auto found = violations(report);
    ASSERT_THAT(found, SizeIs(1));
    EXPECT_THAT(found[0], testing::StartsWith("TRUNCATED checkpoint"));
  }
}

TEST_F(Tampering, AnOlderCheckpointThatWasSeenFits) {
  for (const std::string& seen : log.checkpoints)
    EXPECT_EQ(copy.verify([&](auto& options) { options.last_seen = {seen}; }).exit_status(), 0);
}

TEST_F(Tampering, AnEmptiedBucketIsTruncatedForWhoSawItBefore) {
  fs::remove_all(copy.path() / "v1");
  fs::remove_all(copy.path() / ".enclave-versions");
  EXPECT_EQ(copy.verify().exit_status(), 4);
  const auto report = copy.verify([&](auto& options) { options.last_seen = {log.checkpoints.back()}; });
  EXPECT_EQ(report.exit_status(), 3);
  EXPECT_THAT(violations(report), ElementsAre("TRUNCATED v1/ec528/vm-1/g1/checkpoint 0"));
}

TEST_F(Tampering, TilesOfAnUploadThatWasCutShortAreInconclusive) {
  const Copy old(log.snapshots.back());
  const auto tiles =
      archive::tiles_between(archive::Checkpoint::parse(archive::Note::parse(log.checkpoints[6])->text)->size,
                             archive::Checkpoint::parse(archive::Note::parse(log.checkpoints[7])->text)->size);
  for (const auto& tile : tiles)
    fs::copy(copy.file(archive::tile_path(tile)), old.file(archive::tile_path(tile)), fs::copy_options::skip_existing);
  EXPECT_EQ(old.verify().exit_status(), 4);
  fs::copy(copy.file(last_bundle), old.file(last_bundle));
  EXPECT_EQ(old.verify().exit_status(), 3);
}

TEST_F(Tampering, AnotherKeyThanTheGivenOneIsForked) {
  Scratch scratch;
  Host impostor(scratch.path(), 99);
  impostor.boot(kBootA);
  impostor.seal(5);
  impostor.publish();
  const Copy forged(impostor.bucket());
  const auto report = forged.verify();
  EXPECT_EQ(report.exit_status(), 3);
  EXPECT_THAT(violations(report), ElementsAre("FORKED tile/entries/000.p/3 0"));
}

TEST_F(Tampering, ALogWithoutAGivenKeyIsInconclusiveAndSaysWhichItClaims) {
  const auto report = copy.verify([](auto& options) { options.keys.clear(); });
  EXPECT_EQ(report.exit_status(), 4);
  ASSERT_THAT(report.logs.at(0).findings, SizeIs(1));
  EXPECT_THAT(report.logs[0].findings[0].text, HasSubstr(log.host->log().trust_anchor()));
}

/// Two machines go on from one state directory, as clones do.
TEST_F(Tampering, TwoHistoriesOfOneKeyAreForked) {
  Scratch first, second;
  Host original(first.path(), 7);
  original.boot(kBootA);
  original.seal(5);
  original.publish();
  fs::copy(first.path(), second.path(), fs::copy_options::recursive);
  Host clone(second.path(), 8);
  clone.boot(kBootA);
  clone.clock.pass(1);
  original.seal(6);
  original.publish();
  clone.heartbeats(1);
  clone.publish();
  const Copy mixed(original.bucket());
  const auto trust = [&](auto& options) {
    options.keys = {archive::NoteVerifier::parse(original.log().trust_anchor()).value()};
  };
  EXPECT_EQ(mixed.verify(trust).exit_status(), 0);
  const std::string other = Copy::read(clone.bucket() / mixed.key("checkpoint"));
  const auto seen = mixed.verify([&](auto& options) {
    trust(options);
    options.last_seen = {other};
  });
  EXPECT_EQ(seen.exit_status(), 3);
  EXPECT_THAT(violations(seen), ElementsAre("FORKED checkpoint"));

  Copy::write(mixed.path() / ".enclave-versions" / mixed.key("checkpoint") / "00000000000000000001", other);
  EXPECT_THAT(violations(mixed.verify(trust)), ElementsAre("FORKED checkpoint"));

  fs::remove_all(mixed.path() / ".enclave-versions");
  Copy::write(mixed.file("checkpoint"), other);
  EXPECT_THAT(violations(mixed.verify(trust)), ElementsAre("FORKED checkpoint"));
}

TEST_F(Tampering, AWrongIdentityIsInconclusiveAndSaidOnce) {
  SeededRandom random(1);
  const auto wrong = crypto::AgeIdentity::generate(random);
  const auto report = copy.verify([&](auto& options) { options.identities = {&wrong, 1}; });
  EXPECT_EQ(report.exit_status(), 4);
  ASSERT_THAT(report.logs[0].findings, SizeIs(1));
  EXPECT_EQ(report.logs[0].findings[0].verdict, archive::Verdict::unreadable);
  EXPECT_EQ(report.logs[0].objects_ok, log.objects.size());
}

TEST_F(Tampering, SilenceIsStaleWhenItIsAskedFor) {
  const std::int64_t last = copy.verify().logs[0].time_last_ns;
  const auto report = copy.verify([&](auto& options) {
    options.now_wall_ns = last + 3'600'000'000'000;
    options.stale_after_ns = 1'800'000'000'000;
  });
  EXPECT_EQ(report.exit_status(), 4);
  EXPECT_THAT(of_weight(report, Weight::inconclusive), ElementsAre(fmt::format("STALE - {}", size - 1)));
}

TEST_F(Tampering, TheHeaviestFindingsAreKeptWhenThereAreTooMany) {
  for (const std::uint64_t index : log.objects) fs::remove(copy.file(object_name(index)));
  Copy::write(copy.file(object_name(size)), "pending");
  const auto report = copy.verify([](auto& options) { options.findings_max = 3; });
  EXPECT_THAT(violations(report), SizeIs(3));
  EXPECT_EQ(report.findings_left_out, log.objects.size() - 3 + 1);
}

/// What a host writes that is not a change of the store.
class HostStory : public testing::Test {
 protected:
  HostStory() : host(scratch.path(), 11) { host.boot(kBootA); }
  archive::VerifyReport verify(bool open = true) {
    host.publish();
    return Copy(host.bucket()).verify([&](auto& options) {
      options.keys = {archive::NoteVerifier::parse(host.log().trust_anchor()).value()};
      if (open) options.identities = {&host.identity(), 1};
    });
  }
  Scratch scratch;
  Host host;
};

TEST_F(HostStory, AClockThatWasSetBackIsANote) {
  host.seal(5);
  host.clock.wall -= 3'600'000'000'000;
  host.seal(5);
  const auto report = verify();
  EXPECT_EQ(report.exit_status(), 0);
  EXPECT_THAT(of_weight(report, Weight::note), ElementsAre("CLOCK - 3"));
  EXPECT_THAT(report.logs[0].findings[0].text, HasSubstr("set back by 3600.0 s"));
}

TEST_F(HostStory, ALossThatTheHostDeclaresIsANote) {
  host.seal(5);
  host.seal(5, 777);
  host.seal(5);
  const auto report = verify();
  EXPECT_EQ(report.exit_status(), 0);
  EXPECT_THAT(of_weight(report, Weight::note), ElementsAre("GAP - 4"));
  EXPECT_THAT(report.logs[0].findings[0].text, HasSubstr("lost 777"));
}

TEST_F(HostStory, RecordsThatAreSkippedWithoutAWordAreAGap) {
  host.seal(5);
  archive::OpenBatch batch;
  host.add_lines(batch, 9, 2, std::to_string(host.position()), "9000");
  host.seal_batch(batch);
  const auto report = verify();
  EXPECT_EQ(report.exit_status(), 3);
  EXPECT_THAT(violations(report), ElementsAre("GAP - 3"));
  EXPECT_EQ(report.logs[0].findings[0].seq, std::pair(std::uint64_t{6}, std::uint64_t{8}));
}

TEST_F(HostStory, RecordsThatADamagedSpoolLostAreANote) {
  host.seal(5);
  archive::Leaf gap;
  gap.kind = archive::LeafKind::gap;
  gap.seq = {6, 8};
  gap.boot_id = kBootA;
  gap.boot_ns = host.clock.boot;
  gap.time_first_ns = gap.time_last_ns = host.clock.wall;
  gap.reason = "damaged on disk";
  ASSERT_TRUE(host.log().append(gap, {}));
  archive::OpenBatch batch;
  host.add_lines(batch, 9, 2, "8500", "9000");
  host.seal_batch(batch);
  const auto report = verify();
  EXPECT_EQ(report.exit_status(), 0);
  EXPECT_THAT(of_weight(report, Weight::note), ElementsAre("GAP - 3"));
}

TEST_F(HostStory, ASourceThatGoesOnElsewhereIsAGap) {
  host.seal(5);
  archive::OpenBatch batch;
  host.add_lines(batch, 6, 2, "8500", "9000");
  host.seal_batch(batch);
  const auto report = verify();
  EXPECT_THAT(violations(report), ElementsAre("GAP - 3"));
  EXPECT_THAT(report.logs[0].findings[0].sources, ElementsAre(host.source()));
}

TEST_F(HostStory, ALawfulDeletionIsExpired) {
  host.seal(5);
  const auto pending = host.log().pending().at(0);
  host.publish();
  archive::Leaf expire;
  expire.kind = archive::LeafKind::expire;
  expire.boot_id = kBootA;
  expire.boot_ns = host.clock.boot;
  expire.time_first_ns = expire.time_last_ns = host.clock.wall;
  expire.object = archive::LeafObject{pending.key, pending.bytes, pending.sha256};
  expire.reason = "retention of 365d is over";
  ASSERT_TRUE(host.log().append(expire, {}));
  fs::remove(host.bucket() / pending.key);
  const auto report = verify();
  EXPECT_EQ(report.exit_status(), 0);
  EXPECT_THAT(of_weight(report, Weight::note), ElementsAre("EXPIRED " + object_name(2) + " 2"));
}

TEST_F(HostStory, AnObjectThatHoldsOtherRecordsThanItsLeafSaysIsModified) {
  archive::OpenBatch batch, other;
  host.add_lines(batch, 1, 5, "0", "500");
  host.add_lines(other, 1, 4, "0", "500");
  host.seal_batch(batch);
  const auto good = host.log().read_pending(2).value();
  archive::Leaf leaf;
  leaf.kind = archive::LeafKind::batch;
  leaf.seq = {6, 9};
  leaf.root = archive::leaf_hash("other");
  leaf.boot_id = kBootA;
  leaf.boot_ns = host.clock.boot;
  leaf.time_first_ns = leaf.time_last_ns = host.clock.wall;
  leaf.sources = {{host.source(), "500", "600", 4, 0}};
  ASSERT_TRUE(host.log().append(leaf, good));
  EXPECT_EQ(verify(false).exit_status(), 0) << "the stored bytes are those of the leaf";
  const auto report = verify();
  EXPECT_EQ(report.exit_status(), 3);
  EXPECT_THAT(violations(report), ElementsAre("MODIFIED " + object_name(3) + " 3"));
}

TEST_F(HostStory, AnObjectThatIsNoEnvelopeIsUnreadableThoughItsHashFits) {
  archive::Leaf leaf;
  leaf.kind = archive::LeafKind::batch;
  leaf.seq = {1, 2};
  leaf.root = archive::leaf_hash("other");
  leaf.boot_id = kBootA;
  leaf.boot_ns = host.clock.boot;
  leaf.time_first_ns = leaf.time_last_ns = host.clock.wall;
  leaf.sources = {{host.source(), "0", "100", 2, 0}};
  ASSERT_TRUE(host.log().append(leaf, "not an age file"));
  const auto report = verify();
  EXPECT_EQ(report.exit_status(), 3);
  EXPECT_THAT(violations(report), ElementsAre("UNREADABLE " + object_name(2) + " 2"));
}

TEST_F(HostStory, AForkedGenerationSaysWhatItContinues) {
  host.seal(5);
  host.publish();
  ASSERT_TRUE(host.log().fork("the bucket holds another history"));
  host.seal(5);
  host.publish();
  const Copy copy(host.bucket());
  const auto report = copy.verify([&](auto& options) {
    options.keys = {archive::NoteVerifier::parse(host.log().trust_anchor()).value()};
    options.origin = host.log().origin();
    options.identities = {&host.identity(), 1};
  });
  EXPECT_EQ(report.exit_status(), 0) << testing::PrintToString(violations(report));
  EXPECT_THAT(of_weight(report, Weight::note), ElementsAre("FORKED - 1"));
}

}  // namespace
}  // namespace enclave::tampering
