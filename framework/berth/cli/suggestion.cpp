#include <berth/cli/suggestion.hpp>

#include <algorithm>
#include <numeric>

namespace berth::cli {
namespace {

/// The number of characters to insert, remove or replace to get from one to the other
/// (Levenshtein).
std::size_t distance(std::string_view from, std::string_view to) {
  std::vector<std::size_t> row(to.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 0; i < from.size(); ++i) {
    std::size_t diagonal = row[0]++;
    for (std::size_t j = 0; j < to.size(); ++j) {
      const std::size_t replaced = diagonal + (from[i] == to[j] ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({replaced, row[j] + 1, diagonal + 1});
    }
  }
  return row.back();
}

}  // namespace

std::string suggestion_for(std::string_view word, const std::vector<std::string>& candidates) {
  constexpr std::size_t max_word = 64;  // the cost grows with the square of it
  if (word.size() < 2 || word.size() > max_word) return {};
  std::size_t best = word.size() < 4 ? 2 : 3;
  std::string nearest;
  for (const auto& each : candidates) {
    const auto away = distance(word, each);
    if (away >= best) continue;
    best = away;
    nearest = each;
  }
  if (!nearest.empty() || word.size() < 4) return nearest;
  const auto begins = [word](const std::string& each) { return each.starts_with(word); };
  const auto found = std::find_if(candidates.begin(), candidates.end(), begins);
  return found == candidates.end() ? std::string() : *found;
}

}  // namespace berth::cli
