-- Outside parties go on listing what was erased for longer than these were kept: decision 0490.
update erased_references set forget_after = forget_after + interval '140 days';
