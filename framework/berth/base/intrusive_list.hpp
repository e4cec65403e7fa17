// A first-in, first-out list whose links live in its elements: waiting costs no allocation and
// leaving the queue takes constant time. An element is in one list at most and takes itself out
// when it is destroyed. For one thread.
#pragma once

namespace berth {

/// Base of objects that can be queued.
class list_node {
 public:
  list_node() noexcept = default;
  list_node(const list_node&) = delete;
  list_node& operator=(const list_node&) = delete;
  ~list_node() { unlink(); }

  bool linked() const noexcept { return next_ != nullptr; }

  void unlink() noexcept {
    if (!next_) return;
    previous_->next_ = next_;
    next_->previous_ = previous_;
    next_ = previous_ = nullptr;
  }

 private:
  template <typename T>
  friend class intrusive_list;
  list_node* next_ = nullptr;
  list_node* previous_ = nullptr;
};

template <typename T>
class intrusive_list {
 public:
  intrusive_list() noexcept { head_.next_ = head_.previous_ = &head_; }
  intrusive_list(const intrusive_list&) = delete;
  intrusive_list& operator=(const intrusive_list&) = delete;
  ~intrusive_list() {
    while (pop_front()) {
    }
    head_.next_ = head_.previous_ = nullptr;
  }

  bool empty() const noexcept { return head_.next_ == &head_; }

  void push_back(T& element) noexcept {
    list_node& node = element;
    node.previous_ = head_.previous_;
    node.next_ = &head_;
    head_.previous_->next_ = &node;
    head_.previous_ = &node;
  }

  T* front() noexcept { return empty() ? nullptr : static_cast<T*>(head_.next_); }

  /// Removes the oldest element and returns it; null if the list is empty.
  T* pop_front() noexcept {
    T* const first = front();
    if (first) static_cast<list_node*>(first)->unlink();
    return first;
  }

  /// Iterates over the list, which must not change meanwhile.
  class iterator {
   public:
    explicit iterator(const list_node* at) noexcept : at_(at) {}
    const T& operator*() const noexcept { return static_cast<const T&>(*at_); }
    iterator& operator++() noexcept {
      at_ = at_->next_;
      return *this;
    }
    friend bool operator==(const iterator&, const iterator&) noexcept = default;

   private:
    const list_node* at_;
  };
  iterator begin() const noexcept { return iterator(head_.next_); }
  iterator end() const noexcept { return iterator(&head_); }

  /// Moves all elements of `other` behind those of this list.
  void splice_back(intrusive_list& other) noexcept {
    if (other.empty()) return;
    list_node* const first = other.head_.next_;
    list_node* const last = other.head_.previous_;
    first->previous_ = head_.previous_;
    head_.previous_->next_ = first;
    last->next_ = &head_;
    head_.previous_ = last;
    other.head_.next_ = other.head_.previous_ = &other.head_;
  }

 private:
  list_node head_;
};

}  // namespace berth
