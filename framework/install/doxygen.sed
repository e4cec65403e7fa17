# The plain comment that a header opens with is what the reference says of the file.
1{
/^\/\//i\
/// @file
}
1,/^#pragma once/s/^\/\/ \{0,1\}/\/\/\/ /
# What is written like a tag or a command, and is none.
/\/\//{
s/<\(config_dir\|instance\|APP\|app\)>/\&lt;\1\&gt;/g
s/\\\\\./\\\\\\\\./g
s/\\pipe/\\\\pipe/g
}
