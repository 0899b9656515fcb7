/* not written yet */ typedef int placeholder;
