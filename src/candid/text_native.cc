// Floats as text need to_chars and strtod, which are too large for a canister.

#include <charconv>
#include <cstdlib>
#include <limits>

#include "candid/text.h"

namespace candid {
namespace {

template <class T>
std::string Shortest(T value) {
  char buffer[64];
  const auto end = std::to_chars(buffer, buffer + sizeof(buffer), value).ptr;
  std::string text(buffer, end);
  if (text.find_first_of(".enN") == std::string::npos) text += ".0";
  return text;
}

}  // namespace

base::Result<double> ParseFloat(std::string_view number) {
  std::string digits;
  for (const char c : number) {
    if (c != '_') digits.push_back(c);
  }
  char* end = nullptr;
  const double value = std::strtod(digits.c_str(), &end);
  if (digits.empty() || *end != '\0') {
    return base::Err("found ", base::Printable(number, 30), ", expected a number");
  }
  return value;
}

std::string PrintFloat(double value) { return Shortest(value); }
std::string PrintFloat(float value) { return Shortest(value); }

}  // namespace candid
