// loam.hpp: loam for C++17.
//
// C++ has owners of its own: unique_ptr, shared_ptr, vector. What it lacks are regions that are
// seen in reports, and an allocator as a value. This thin header gives those in C++'s way, over the
// same functions; everything else of loam.h that is no C macro may be used as it is.
//
//     loam::region r{"request", LOAM_HERE};
//     auto *name = r.make<std::string>("somebody");        // destroyed with the region
//     std::vector<int, loam::allocator<int>> v{r.alloc()}; // its memory is the region's
//     loam::memory_resource m{r.alloc()};                  // the same for std::pmr
//     std::pmr::string s{"a long one, that needs memory", &m};
//     auto heap = std::make_unique<int>(1);                // as ever
//
// Where C returns NULL, these throw std::bad_alloc.
#ifndef LOAM_LOAM_HPP
#define LOAM_LOAM_HPP

#include <loam/loam.h>

#include <memory_resource>
#include <new>
#include <type_traits>
#include <utility>

namespace loam
{

// An allocator value as the standard containers want it. Equal if the value is.
template <class T> class allocator
{
  public:
    using value_type = T;

    allocator(loam_alloc a = loam_alloc_heap()) noexcept : alloc_(a) {}
    template <class U> allocator(const allocator<U> &other) noexcept : alloc_(other.get()) {}

    T *allocate(std::size_t n)
    {
        void *p = loam_alloc_new(alloc_, loam_layout_array(loam_layout_of(T), n));
        if (p == nullptr)
            throw std::bad_alloc();
        return static_cast<T *>(p);
    }
    void deallocate(T *p, std::size_t n) noexcept
    {
        loam_alloc_free(alloc_, p, loam_layout_array(loam_layout_of(T), n));
    }
    loam_alloc get() const noexcept { return alloc_; }

  private:
    loam_alloc alloc_;
};
template <class T, class U> bool operator==(const allocator<T> &a, const allocator<U> &b) noexcept
{
    return a.get().ops == b.get().ops && a.get().self == b.get().self;
}
template <class T, class U> bool operator!=(const allocator<T> &a, const allocator<U> &b) noexcept
{
    return !(a == b);
}

// The same for the containers of std::pmr, which take where their memory comes from at run time.
// Must live as long as what was allocated from it.
class memory_resource : public std::pmr::memory_resource
{
  public:
    explicit memory_resource(loam_alloc a = loam_alloc_heap()) noexcept : alloc_(a) {}
    loam_alloc get() const noexcept { return alloc_; }

  private:
    void *do_allocate(std::size_t bytes, std::size_t align) override
    {
        void *p = loam_alloc_new(alloc_, loam_layout_make(bytes, align));
        if (p == nullptr)
            throw std::bad_alloc();
        return p;
    }
    void do_deallocate(void *p, std::size_t bytes, std::size_t align) noexcept override
    {
        loam_alloc_free(alloc_, p, loam_layout_make(bytes, align));
    }
    bool do_is_equal(const std::pmr::memory_resource &other) const noexcept override
    {
        return this == &other; // two of one allocator are told apart: safe, and needs no RTTI
    }

    loam_alloc alloc_;
};

// A region (region.h) that is closed with its scope. Neither copied nor moved.
class region
{
  public:
    explicit region(const char *name, const char *place = "") noexcept
    {
        loam_region_init_at(&region_, name, place);
    }
    region(region &parent, const char *name, const char *place = "") noexcept
    {
        loam_region_init_child_at(&region_, &parent.region_, name, place);
    }
    region(const region &) = delete;
    region &operator=(const region &) = delete;
    ~region() { loam_region_done(&region_); }

    // A T made from `args`. If it has a destructor that does something, the region calls it: the
    // newest object first, before any memory goes.
    template <class T, class... Args> T *make(Args &&...args)
    {
        void *at = loam_region_push_raw(&region_, sizeof(T), alignof(T));
        if (at == nullptr)
            throw std::bad_alloc();
        T *object = new (at) T(std::forward<Args>(args)...);
        if constexpr (!std::is_trivially_destructible_v<T>) {
            if (loam_region_defer(&region_, destroy<T>, object) < 0) {
                object->~T();
                throw std::bad_alloc();
            }
        }
        return object;
    }

    // `n` zeroed objects of a type for which all zero is a value.
    template <class T> T *make_array(std::size_t n)
    {
        static_assert(std::is_trivial_v<T>, "an array of zeroed bytes");
        void *at = loam_region_push_layout(&region_, loam_layout_array(loam_layout_of(T), n));
        if (at == nullptr)
            throw std::bad_alloc();
        return static_cast<T *>(at);
    }

    loam_alloc alloc() noexcept { return loam_region_alloc(&region_); }
    void clear() noexcept { loam_region_clear(&region_); }

    // For everything else in region.h.
    loam_region *get() noexcept { return &region_; }

  private:
    template <class T> static void destroy(void *object) { static_cast<T *>(object)->~T(); }
    loam_region region_;
};

} // namespace loam

#endif
