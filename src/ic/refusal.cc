#include "ic/refusal.h"

namespace ic {
namespace {

std::string Digits(uint64_t value, size_t width) {
  std::string text = base::StrCat(value);
  return text.size() < width ? std::string(width - text.size(), '0') + text : text;
}

}  // namespace

std::string UtcText(uint64_t ns) {
  const uint64_t seconds = ns / 1'000'000'000;
  const uint64_t days = seconds / 86'400;
  const uint64_t of_day = seconds % 86'400;
  // Days to a date in years that begin on March 1st, so that a leap day is the last of its year;
  // eras of 400 years have 146,097 days, and 719,468 days lie between 0000-03-01 and 1970-01-01.
  const uint64_t shifted = days + 719'468;
  const uint64_t era = shifted / 146'097;
  const uint64_t day_of_era = shifted % 146'097;
  const uint64_t year_of_era =
      (day_of_era - day_of_era / 1460 + day_of_era / 36'524 - day_of_era / 146'096) / 365;
  const uint64_t day_of_year =
      day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  const uint64_t shifted_month = (5 * day_of_year + 2) / 153;
  const uint64_t day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
  const uint64_t month = shifted_month < 10 ? shifted_month + 3 : shifted_month - 9;
  const uint64_t year = year_of_era + era * 400 + (month <= 2 ? 1 : 0);
  std::string text = base::StrCat(Digits(year, 4), "-", Digits(month, 2), "-", Digits(day, 2), " ",
                                  Digits(of_day / 3600, 2), ":", Digits(of_day / 60 % 60, 2), ":",
                                  Digits(of_day % 60, 2));
  const uint64_t fraction = ns % 1'000'000'000;
  if (fraction != 0) text += "." + Digits(fraction, 9);
  return text + " UTC";
}

}  // namespace ic
