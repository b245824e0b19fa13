// uses: archive base
#include <cstddef>
#include <cstdint>

#include "archive/note.h"

// Any text is refused, or is the only form of the note that was read; the same for verifier keys.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace enclave::archive;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (const auto verifier = NoteVerifier::parse(text)) ENSURE(verifier->text() == text);
  const auto note = Note::parse(text);
  if (!note) return 0;
  ENSURE(note->format() == text);
  static const NoteVerifier known =
      NoteVerifier::parse("PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW").value();
  (void)note->verified_by(known);
  return 0;
}
