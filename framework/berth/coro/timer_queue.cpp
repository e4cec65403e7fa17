#include <berth/coro/timer_queue.hpp>

namespace berth {

bool timer_queue::before(const timer_item& left, const timer_item& right) noexcept {
  return left.due_ != right.due_ ? left.due_ < right.due_ : left.order_ < right.order_;
}

void timer_queue::place(std::size_t position, timer_item& timer) noexcept {
  heap_[position] = &timer;
  timer.position_ = position;
}

void timer_queue::arm(timer_item& timer, steady_time due) {
  disarm(timer);
  heap_.push_back(&timer);
  timer.due_ = due;
  timer.order_ = armed_so_far_++;
  timer.position_ = heap_.size() - 1;
  sift_up(timer.position_);
}

void timer_queue::disarm(timer_item& timer) noexcept {
  if (timer.armed()) take(timer.position_);
}

std::optional<steady_time> timer_queue::next_due() const noexcept {
  if (heap_.empty()) return std::nullopt;
  return heap_.front()->due_;
}

timer_item* timer_queue::take_due(steady_time now) noexcept {
  if (heap_.empty() || heap_.front()->due_ > now) return nullptr;
  timer_item* const first = heap_.front();
  take(0);
  return first;
}

void timer_queue::take(std::size_t position) noexcept {
  heap_[position]->position_ = timer_item::not_armed;
  timer_item* const last = heap_.back();
  heap_.pop_back();
  if (position == heap_.size()) return;
  place(position, *last);
  sift_up(position);
  sift_down(last->position_);
}

void timer_queue::sift_up(std::size_t position) noexcept {
  timer_item& timer = *heap_[position];
  while (position > 0) {
    const std::size_t parent = (position - 1) / 2;
    if (!before(timer, *heap_[parent])) break;
    place(position, *heap_[parent]);
    position = parent;
  }
  place(position, timer);
}

void timer_queue::sift_down(std::size_t position) noexcept {
  timer_item& timer = *heap_[position];
  for (;;) {
    std::size_t child = 2 * position + 1;
    if (child >= heap_.size()) break;
    if (child + 1 < heap_.size() && before(*heap_[child + 1], *heap_[child])) ++child;
    if (!before(*heap_[child], timer)) break;
    place(position, *heap_[child]);
    position = child;
  }
  place(position, timer);
}

}  // namespace berth
