// Codes in words. docs/reasons.md and docs/roster.md have the whole lists.

const WORDS = {
  not_in_roster: "not on the class list", already_taken: "another sheet has that name", low_margin: "two names fit about as well",
  no_register_box: "no register number on the page", no_subject_box: "no subject code on the page", blank_register: "the register number is blank",
  blank_subject: "the subject code is blank", subject_not_listed: "subject not on the list", low_subject_margin: "two subjects fit about as well",
  low_symbol: "a character is doubtful", unsound_posteriors: "the reader's answer is not sound", duplicate: "the same picture came before",
  unreadable: "it could not be opened", turned: "turned upright", straightened: "straightened", later_page: "the cover was a later page",
  marked_blank: "marked blank", marked_unlisted: "marked as not on the list", marked_duplicate: "marked as a duplicate",
  low_confidence: "read with doubt", small_box: "the writing is small", blurred: "blurred",
};
export const reasonText = (code) => WORDS[code] ?? code.replaceAll("_", " ");
