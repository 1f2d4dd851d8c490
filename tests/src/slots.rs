//! At most two tests have nodes at a time: machines with two cores would otherwise miss deadlines that are generous for
//! one node.

use std::cell::RefCell;
use std::marker::PhantomData;
use std::sync::{Condvar, Mutex, PoisonError};

/// Tests that may have nodes at the same time.
const SLOTS: usize = 2;

static TAKEN: Mutex<usize> = Mutex::new(0);
static FREED: Condvar = Condvar::new();

thread_local! {
    /// How many slots this thread's test holds; all of them stand on one place.
    static HELD: RefCell<usize> = const { RefCell::new(0) };
}

/// A place among the tests that have nodes. Further slots of the same thread are free, so that a test which needs two
/// nodes cannot wait for one that waits for it.
#[derive(Debug)]
pub struct Slot {
    /// A slot belongs to its thread.
    _thread: PhantomData<*const ()>,
}

impl Slot {
    /// Waits for a place.
    #[must_use]
    pub fn take() -> Self {
        HELD.with_borrow_mut(|held| {
            if *held == 0 {
                let taken = TAKEN.lock().unwrap_or_else(PoisonError::into_inner);
                let mut taken =
                    FREED.wait_while(taken, |taken| *taken >= SLOTS).unwrap_or_else(PoisonError::into_inner);
                *taken += 1;
            }
            *held += 1;
        });
        Self { _thread: PhantomData }
    }
}

/// Every place at once: for a test that needs the machine for itself.
#[derive(Debug)]
pub struct AllSlots {
    _thread: PhantomData<*const ()>,
}

impl AllSlots {
    /// Waits until no other test has nodes.
    ///
    /// # Panics
    /// When this thread has a slot already, for which it would wait for ever.
    #[must_use]
    pub fn take() -> Self {
        HELD.with_borrow_mut(|held| {
            assert_eq!(*held, 0, "all slots are taken before the first");
            let taken = TAKEN.lock().unwrap_or_else(PoisonError::into_inner);
            let mut taken =
                FREED.wait_while(taken, |taken| *taken > 0).unwrap_or_else(PoisonError::into_inner);
            *taken = SLOTS;
            *held = 1;
        });
        Self { _thread: PhantomData }
    }
}

impl Drop for AllSlots {
    fn drop(&mut self) {
        HELD.with_borrow_mut(|held| *held -= 1);
        *TAKEN.lock().unwrap_or_else(PoisonError::into_inner) -= SLOTS;
        FREED.notify_all();
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        HELD.with_borrow_mut(|held| {
            *held -= 1;
            if *held == 0 {
                *TAKEN.lock().unwrap_or_else(PoisonError::into_inner) -= 1;
                FREED.notify_all();
            }
        });
    }
}
