//! `trident eval RUN`
